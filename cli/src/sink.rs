//! A file from which another program reads the token.

use crate::failure::Failure;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A file that always holds a whole token, the old one or the new one, and that nobody else can read.
pub(crate) struct Sink(PathBuf);

impl Sink {
    pub(crate) fn new(path: &str) -> Self {
        Self(path.into())
    }

    pub(crate) fn write(&self, text: &str) -> Result<(), Failure> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = tempfile::Builder::new().prefix(".genauth-").tempfile_in(folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.0).map_err(|error| error.error)
        });
        written.map(drop).map_err(|error| {
            let path = self.0.display();
            Failure::other(format!(
                "{path} cannot be written: {error}; name a file in a folder that this user may write to"
            ))
        })
    }
}
