//! Tells one state of the fragments from another.
//!
//! The text that is checked in carries the fingerprint of what it was made from, so that a build without the generator
//! notices where it has become stale. Nothing but `std`: that build is to stay cheap.

use std::path::Path;

/// The line in front of the text, the same for the same files.
pub fn line(fragments: &Path) -> std::io::Result<String> {
    let mut files =
        std::fs::read_dir(fragments)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    // FNV-1a, 64 bit: against forgetfulness, not against an attacker.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A checkout may have other line ends.
        let text = std::fs::read_to_string(&file)?.replace("\r\n", "\n");
        for byte in format!("{name}\0{text}\0").into_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(format!("// Made of the fragments with the fingerprint {hash:016x}.\n"))
}
