//! Turns a recorded body into its bytes: as its text says, or of its fields by the standard of its media type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::body::essence;
use super::super::multipart::{self, Part};
use super::super::notes::{Kind, Notes};
use super::charset;
use super::entry::{Param, PostData};

const REBUILT: Kind = Kind {
    verb: "built",
    noun: ["body", "bodies"],
    which: "of the recorded fields, for the recording has no text of it",
};

const OTHER_CHARSET: Kind = Kind {
    verb: "sent",
    noun: ["body", "bodies"],
    which: "as UTF-8, and said so, that were recorded in another charset",
};

const EMPTY_FILES: Kind = Kind {
    verb: "sent",
    noun: ["file", "files"],
    which: "without content, for the recording has none of it",
};

/// The bytes of a body and its media type, or why it cannot be sent.
pub(super) fn bytes(
    body: &PostData,
    content_type: Option<&str>,
    notes: &mut Notes,
) -> Result<(Vec<u8>, String), &'static str> {
    let media_type = content_type.filter(|kind| !kind.is_empty()).unwrap_or(&body.media_type).to_owned();
    match &body.text {
        Some(text) if body.is_base64 => {
            let packed: String = text.chars().filter(|each| !each.is_ascii_whitespace()).collect();
            let bytes =
                BASE64.decode(packed).map_err(|_| "whose body is not the base64 that it is said to be")?;
            return Ok((bytes, media_type));
        }
        Some(text) if !text.is_empty() || body.params.is_empty() => {
            let media_type = match charset::other_than_utf_8(text, &media_type) {
                Some(other) => {
                    notes.count(OTHER_CHARSET, other);
                    charset::with_utf_8(&media_type)
                }
                None => media_type,
            };
            return Ok((text.clone().into_bytes(), media_type));
        }
        None if body.is_elsewhere => return Err("whose body is in a file beside the recording"),
        _ => {}
    }
    if body.params.is_empty() {
        return Ok((Vec::new(), media_type));
    }
    let kind = if media_type.is_empty() {
        "application/x-www-form-urlencoded".to_owned()
    } else {
        essence(&media_type)
    };
    let value = |param: &Param| param.value.clone().unwrap_or_default();
    let bytes = match kind.as_str() {
        "multipart/form-data" => {
            let parts: Vec<_> = body.params.iter().map(|param| part(param, notes)).collect();
            let named =
                multipart::boundary_of(&media_type).or_else(|| multipart::boundary_of(&body.media_type));
            let boundary = named.clone().unwrap_or_else(|| multipart::free_boundary(&parts));
            notes.count(REBUILT, &kind);
            let media_type = match named {
                Some(_) if multipart::boundary_of(&media_type).is_some() => media_type,
                _ => format!("multipart/form-data; boundary={boundary}"),
            };
            return Ok((multipart::body(&parts, &boundary), media_type));
        }
        "application/x-www-form-urlencoded" => {
            let pairs = body.params.iter().map(|param| (param.name.as_str(), value(param)));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
        }
        // The HTML standard's third way to send a form.
        "text/plain" => body
            .params
            .iter()
            .flat_map(|param| format!("{}={}\r\n", param.name, value(param)).into_bytes())
            .collect(),
        _ => return Err("whose body has fields but no text, and is no form"),
    };
    notes.count(REBUILT, &kind);
    let media_type = if media_type.is_empty() { kind } else { media_type };
    Ok((bytes, media_type))
}

fn part(param: &Param, notes: &mut Notes) -> Part {
    let is_file = param.file_name.is_some();
    if is_file && param.value.is_none() {
        notes.count(EMPTY_FILES, param.file_name.as_deref().unwrap_or_default());
    }
    let media_type =
        param.media_type.clone().or_else(|| is_file.then(|| "application/octet-stream".to_owned()));
    Part {
        name: param.name.clone(),
        file_name: param.file_name.clone(),
        media_type,
        content: param.value.clone().unwrap_or_default().into_bytes(),
    }
}
