//! Reads a text file that a person or a tool wrote, with a bound on its size, whatever it is encoded or packed in.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// The first bytes of packed files, and what each is called; all but gzip are only named.
const PACKED: [(&[u8], &str); 6] = [
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"\xfd7zXZ\0", "packed with xz"),
    (b"BZh", "packed with bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"%PDF", "a PDF"),
];

/// The text of a file of at most `bytes_max`, unpacked if it is gzip, decoded if it is UTF-16, and without a byte order
/// mark; `what` says what it is expected to be.
pub(crate) fn read(path: &Path, bytes_max: u64, what: &str) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    refuse_larger(&bytes, bytes_max, what)?;
    if bytes.starts_with(b"\x1f\x8b") {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(bytes.as_slice())
            .take(bytes_max + 1)
            .read_to_end(&mut unpacked)
            .map_err(|error| format!("is packed with gzip and cannot be unpacked: {error}"))?;
        refuse_larger(&unpacked, bytes_max, what)?;
        bytes = unpacked;
    }
    decode(path, bytes, what)
}

fn refuse_larger(bytes: &[u8], bytes_max: u64, what: &str) -> Result<(), String> {
    if bytes.len() as u64 > bytes_max {
        return Err(format!("is larger than {bytes_max} bytes, expected {what}"));
    }
    Ok(())
}

fn decode(path: &Path, mut bytes: Vec<u8>, what: &str) -> Result<String, String> {
    if let Some((_, name)) = PACKED.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Err(format!("is {name}, expected {what} as text or packed with gzip"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    // Without a mark the zeros beside ASCII tell: each of these texts begins with ASCII.
    let utf_16 = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        [1..=0x7f, 0, ..] => Some((bytes.as_slice(), u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0, 1..=0x7f, ..] => Some((bytes.as_slice(), u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((units, unit)) = utf_16 {
        let (pairs, rest) = units.as_chunks::<2>();
        let text: Result<String, _> = char::decode_utf16(pairs.iter().copied().map(unit)).collect();
        return match text {
            Ok(text) if rest.is_empty() => Ok(text),
            _ => Err("is UTF-16 with a broken character; expected UTF-8 or whole UTF-16".to_owned()),
        };
    }
    String::from_utf8(bytes).map_err(|error| {
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("br")) {
            return format!("is packed with brotli, expected {what} as text or packed with gzip");
        }
        format!("cannot be read as text: {}; expected UTF-8", error.utf8_error())
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::read;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("text");
        std::fs::write(&path, "four").expect("a file");
        assert_eq!(read(&path, 4, "a word").as_deref(), Ok("four"));
        let problem = read(&path, 3, "a word").expect_err("it is too large");
        assert_eq!(problem, "is larger than 3 bytes, expected a word");
        std::fs::write(&path, [0xff, 0xfe, 0x41]).expect("a file");
        assert!(read(&path, 4, "a word").is_err_and(|problem| problem.contains("UTF-16")));
        std::fs::write(&path, [b'a', 0xff]).expect("a file");
        assert!(read(&path, 4, "a word").is_err_and(|problem| problem.contains("as text")));
        assert!(read(folder.path(), 4, "a word").is_err(), "a folder is no file");
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn utf_16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes_of).collect()
    }

    #[test]
    fn a_text_is_the_same_in_each_encoding() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("text.gz");
        let text = "{\"größe\": \"🙂\"}";
        let marked = format!("\u{feff}{text}");
        for bytes in [
            text.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf_16(&marked, u16::to_le_bytes),
            utf_16(&marked, u16::to_be_bytes),
            utf_16(text, u16::to_le_bytes),
            utf_16(text, u16::to_be_bytes),
            gzip(text.as_bytes()),
            gzip(&utf_16(&marked, u16::to_le_bytes)),
            [gzip(&text.as_bytes()[..4]), gzip(&text.as_bytes()[4..])].concat(),
        ] {
            std::fs::write(&path, &bytes).expect("a file");
            assert_eq!(read(&path, 100, "a word").as_deref(), Ok(text), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_packed_otherwise_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("visit.har.br");
        for (bytes, part) in [
            (b"PK\x03\x04\x14\0".to_vec(), "a ZIP archive"),
            (b"\x28\xb5\x2f\xfd\0".to_vec(), "zstd"),
            (b"\xfd7zXZ\0\0".to_vec(), "xz"),
            (b"BZh91AY".to_vec(), "bzip2"),
            (vec![0x8b, 0x0f, 0x80, 0x03], "brotli"),
            (gzip(b"cut off")[..14].to_vec(), "gzip"),
            (gzip(&[b'x'; 200]), "larger than 100 bytes"),
        ] {
            std::fs::write(&path, &bytes).expect("a file");
            let problem = read(&path, 100, "a recording").expect_err(part);
            assert!(problem.contains(part), "`{part}` is missing: {problem}");
        }
    }
}
