//! What Helm says, kept as it comes: a run that is stopped has said something, too.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::HelmError;

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 16 << 10;

/// Where Helm's words go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Errors,
    Output,
}

/// What the runs of an attempt have said so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Transcript(Arc<Mutex<Words>>);

#[derive(Debug, Default)]
struct Words {
    errors: Vec<u8>,
    output: Vec<u8>,
}

impl Transcript {
    /// What went to standard error, and then what went to standard output.
    pub(super) fn words(&self) -> String {
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&words.errors) + &text(&words.output)
    }

    /// Keeps what fits into `limit_bytes` of the channel.
    fn add(&self, channel: Channel, bytes: &[u8], limit_bytes: u64) {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match channel {
            Channel::Errors => &mut words.errors,
            Channel::Output => &mut words.output,
        };
        let room = limit_bytes.saturating_sub(kept.len() as u64);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Reads a stream to its end.
///
/// # Errors
///
/// [`HelmError::OutputTooLarge`] as soon as it is.
pub(super) async fn read(
    stream: Option<impl AsyncRead + Unpin>,
    limit_bytes: u64,
    copy: Option<(&Transcript, Channel)>,
) -> Result<Vec<u8>, HelmError> {
    let mut bytes = Vec::new();
    let Some(mut stream) = stream else { return Ok(bytes) };
    loop {
        let before = bytes.len();
        bytes.reserve(CHUNK_BYTES);
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(bytes);
        }
        if let Some((transcript, channel)) = copy {
            transcript.add(channel, &bytes[before..], limit_bytes);
        }
        if bytes.len() as u64 > limit_bytes {
            return Err(HelmError::OutputTooLarge { limit_bytes });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_read_is_kept_up_to_the_limit_and_more_is_refused() {
        let transcript = Transcript::default();
        let errors = Some((&transcript, Channel::Errors));
        assert_eq!(read(Some(&b"one "[..]), 4, errors).await.unwrap(), b"one ");
        let output = Some((&transcript, Channel::Output));
        let refused = read(Some(&b"three"[..]), 4, output).await;
        assert!(matches!(refused, Err(HelmError::OutputTooLarge { limit_bytes: 4 })));
        assert_eq!(transcript.words(), "one thre");
        read(Some(&b"two"[..]), 6, errors).await.unwrap();
        assert_eq!(
            transcript.words(),
            "one twthre",
            "of one channel the limit holds for all runs together"
        );
    }

    #[tokio::test]
    async fn what_nobody_wants_copied_is_only_read() {
        let read = read(Some(&b"kind: Secret"[..]), 100, None).await.unwrap();
        assert_eq!(read, b"kind: Secret");
    }
}
