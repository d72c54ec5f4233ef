//! A zip file that is written to the end without going back, through a pipe.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::{
    exports::ExportError,
    pipe::{Abandoned, Pipe},
};

/// What the zip writer has written and the pipe has not taken.
#[derive(Clone, Default)]
struct Spool(Arc<Mutex<Vec<u8>>>);

pub struct Archive {
    zip: ZipWriter<zip::write::StreamWriter<Spool>>,
    spool: Spool,
    pipe: Pipe,
    /// What was put into the file that is being written, and is not in the zip yet.
    buffer: Vec<u8>,
    /// The name and the hash, so far, of the file that is being written; not of those that are written at once.
    open: Option<(&'static str, Sha256)>,
    hashes: Vec<(String, String)>,
}

impl Archive {
    pub fn new(pipe: Pipe) -> Self {
        let spool = Spool::default();
        Self {
            zip: ZipWriter::new_stream(spool.clone()),
            spool,
            pipe,
            buffer: vec![],
            open: None,
            hashes: vec![],
        }
    }

    /// A whole file. Those in folders vouch for themselves; of the others the hash is kept.
    pub async fn file(&mut self, path: &str, content: &[u8]) -> Result<(), ExportError> {
        self.close()?;
        self.zip.start_file(path, options())?;
        self.zip.write_all(content).map_err(ZipError::from)?;
        if !path.contains('/') {
            self.hashes
                .push((path.to_owned(), hex::encode(Sha256::digest(content))));
        }
        self.take().await
    }

    /// Starts a file that is put into the [buffer](Archive::buffer) a part at a time.
    pub fn start(&mut self, path: &'static str) -> Result<(), ExportError> {
        self.close()?;
        self.zip.start_file(path, options())?;
        self.open = Some((path, Sha256::new()));
        Ok(())
    }

    /// Where the content of the file that was started is put.
    pub const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Lets go of what was put so far. Waits while whoever takes it is slow.
    pub async fn pass_on(&mut self) -> Result<(), ExportError> {
        self.drain()?;
        self.take().await
    }

    /// The names and SHA-256 of the files at the top; one that is still open ends here.
    pub fn hashes(&mut self) -> Result<&[(String, String)], ExportError> {
        self.close()?;
        Ok(&self.hashes)
    }

    /// The end of the zip file.
    pub async fn finish(mut self) -> Result<(), ExportError> {
        self.close()?;
        self.take().await?;
        let Self {
            zip, spool, mut pipe, ..
        } = self;
        zip.finish()?;
        pipe.buffer().append(&mut spool.taken());
        pipe.finish().await.map_err(|Abandoned| ExportError::Abandoned)
    }

    fn close(&mut self) -> Result<(), ExportError> {
        self.drain()?;
        if let Some((path, hash)) = self.open.take() {
            self.hashes.push((path.to_owned(), hex::encode(hash.finalize())));
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), ExportError> {
        if let Some((_, hash)) = &mut self.open {
            hash.update(&self.buffer);
        }
        self.zip.write_all(&self.buffer).map_err(ZipError::from)?;
        self.buffer.clear();
        Ok(())
    }

    async fn take(&mut self) -> Result<(), ExportError> {
        self.pipe.buffer().append(&mut self.spool.taken());
        self.pipe.pass_on().await.map_err(|Abandoned| ExportError::Abandoned)
    }
}

impl Spool {
    fn taken(&self) -> Vec<u8> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut spool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spool.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same decisions make the same bytes: no entry has the time it was written at.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}
