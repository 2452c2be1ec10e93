//! Writes a body of several parts, as a form with files is sent (RFC 7578).

use std::fmt::Write as _;

/// What separates parts where no recording says so.
const BOUNDARY: &str = "autoscale-lab-part";

/// One part of a form.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) name: String,
    /// A file's name; none for a plain field.
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) content: Vec<u8>,
}

/// The body; `boundary` is not in any part.
pub(super) fn body(parts: &[Part], boundary: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let mut head = format!("Content-Disposition: form-data; name=\"{}\"", escaped(&part.name));
        if let Some(file_name) = &part.file_name {
            write!(head, "; filename=\"{}\"", escaped(file_name))
                .expect("a string takes whatever is written");
        }
        if let Some(media_type) = &part.media_type {
            write!(head, "\r\nContent-Type: {}", media_type.replace(['\r', '\n'], " "))
                .expect("a string takes whatever is written");
        }
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

/// A boundary that none of the parts contains.
pub(super) fn free_boundary(parts: &[Part]) -> String {
    let is_in = |boundary: &str| {
        parts
            .iter()
            .any(|part| part.content.windows(boundary.len()).any(|bytes| bytes == boundary.as_bytes()))
    };
    let numbered = (1..).map(|number| format!("{BOUNDARY}-{number}"));
    std::iter::once(BOUNDARY.to_owned())
        .chain(numbered)
        .find(|boundary| !is_in(boundary))
        .expect("parts are finite")
}

/// The boundary that a media type names.
pub(super) fn boundary_of(media_type: &str) -> Option<String> {
    let (_, parameters) = media_type.split_once(';')?;
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    // RFC 2046, section 5.1.1.
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    ((1..=70).contains(&boundary.len()) && boundary.bytes().all(is_allowed)).then_some(boundary)
}

/// A name as browsers write it in a part's head.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::{Part, body, boundary_of, free_boundary};

    #[test]
    fn parts_are_separated_by_a_boundary_that_none_contains() {
        let field = Part { name: "a\"b".to_owned(), content: b"1".to_vec(), ..Part::default() };
        let file = Part {
            name: "f".to_owned(),
            file_name: Some("x\r\ny.txt".to_owned()),
            media_type: Some("text/plain".to_owned()),
            content: b"autoscale-lab-part \xff".to_vec(),
        };
        let parts = [field, file];
        let boundary = free_boundary(&parts);
        assert_eq!(boundary, "autoscale-lab-part-1");
        assert_eq!(
            body(&parts, &boundary),
            b"--autoscale-lab-part-1\r\nContent-Disposition: form-data; name=\"a%22b\"\r\n\r\n1\r\n\
              --autoscale-lab-part-1\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x%0D%0Ay.txt\"\r\n\
              Content-Type: text/plain\r\n\r\nautoscale-lab-part \xff\r\n--autoscale-lab-part-1--\r\n"
        );
        assert_eq!(body(&[], "x"), b"--x--\r\n");
    }

    #[test]
    fn the_boundary_of_a_media_type_is_found() {
        for (media_type, boundary) in [
            ("multipart/form-data; boundary=XX", Some("XX")),
            ("multipart/form-data; charset=utf-8; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=a\"b\u{1}", None),
        ] {
            assert_eq!(boundary_of(media_type).as_deref(), boundary, "{media_type}");
        }
    }
}
