//! Between whoever makes a long answer and whoever takes it: a few chunks at a time, and patience that ends.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::{sync::mpsc, time::timeout};

/// A chunk is passed on once it has as many bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that are made ahead of whoever takes them.
const CHUNKS_AHEAD: usize = 4;
/// How long a chunk waits to be taken.
const PATIENCE: Duration = Duration::from_secs(60);

/// It ends here and is not whole. Why is in the log of whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer broke off")]
pub struct Broken;

/// Nobody takes the bytes any more, or not for a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abandoned;

enum Part {
    Chunk(Bytes),
    End,
}

/// The end that bytes are put into. Dropped without [`Pipe::finish`], it leaves the answer broken off.
pub struct Pipe {
    parts: mpsc::Sender<Part>,
    buffer: Vec<u8>,
}

/// A pipe and what comes out of it. If it ends without an error, it is whole.
pub fn pipe() -> (Pipe, impl Stream<Item = Result<Bytes, Broken>> + Send + 'static) {
    let (parts, taken) = mpsc::channel(CHUNKS_AHEAD);
    let pipe = Pipe { parts, buffer: vec![] };
    let stream = stream::unfold(Some(taken), |taken| async move {
        let mut taken: mpsc::Receiver<Part> = taken?;
        match taken.recv().await {
            Some(Part::Chunk(chunk)) => Some((Ok(chunk), Some(taken))),
            Some(Part::End) => None,
            None => Some((Err(Broken), None)),
        }
    });
    (pipe, stream)
}

impl Pipe {
    /// Where bytes are put, behind those that are there.
    pub const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Lets go of what was put so far, if it is enough to be worth it. Waits while whoever takes it is slow.
    ///
    /// # Errors
    ///
    /// [`Abandoned`]: there is no use in going on.
    pub async fn pass_on(&mut self) -> Result<(), Abandoned> {
        match self.buffer.len() < CHUNK_BYTES {
            true => Ok(()),
            false => self.flush().await,
        }
    }

    /// Lets go of all that was put so far.
    ///
    /// # Errors
    ///
    /// As [`Pipe::pass_on`].
    pub async fn flush(&mut self) -> Result<(), Abandoned> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let next = Vec::with_capacity(self.buffer.len().min(2 * CHUNK_BYTES));
        let chunk = std::mem::replace(&mut self.buffer, next);
        self.send(Part::Chunk(chunk.into())).await
    }

    /// Says that this is all.
    ///
    /// # Errors
    ///
    /// As [`Pipe::pass_on`].
    pub async fn finish(mut self) -> Result<(), Abandoned> {
        self.flush().await?;
        self.send(Part::End).await
    }

    /// Returns when nobody takes anything any more.
    pub async fn abandoned(&self) {
        self.parts.closed().await;
    }

    async fn send(&self, part: Part) -> Result<(), Abandoned> {
        let sent = timeout(PATIENCE, self.parts.send(part)).await;
        sent.map_err(|_| Abandoned)?.map_err(|_| Abandoned)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn what_was_put_comes_out_and_ends_when_it_is_finished() {
        let (mut pipe, taken) = pipe();
        pipe.buffer().extend_from_slice(b"one ");
        pipe.pass_on().await.unwrap();
        pipe.buffer().extend_from_slice(b"answer");
        pipe.finish().await.unwrap();
        let taken: Vec<_> = taken.collect().await;
        assert_eq!(taken, [Ok(Bytes::from_static(b"one answer"))]);
    }

    #[tokio::test]
    async fn what_was_not_finished_ends_with_an_error() {
        let (mut pipe, taken) = pipe();
        pipe.buffer().extend_from_slice(b"half");
        pipe.flush().await.unwrap();
        drop(pipe);
        let taken: Vec<_> = taken.collect().await;
        assert_eq!(taken, [Ok(Bytes::from_static(b"half")), Err(Broken)]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_is_given_up() {
        let (mut pipe, _taken) = pipe();
        for _ in 0..CHUNKS_AHEAD {
            pipe.buffer().push(b'x');
            assert_eq!(pipe.flush().await, Ok(()));
        }
        pipe.buffer().push(b'x');
        assert_eq!(pipe.flush().await, Err(Abandoned));
    }

    #[tokio::test]
    async fn nothing_is_made_for_whoever_has_gone() {
        let (mut pipe, taken) = pipe();
        drop(taken);
        pipe.abandoned().await;
        pipe.buffer().push(b'x');
        assert_eq!(pipe.flush().await, Err(Abandoned));
    }
}
