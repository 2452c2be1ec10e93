//! Files of vectors, as they are written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The layout of vector files that is understood.
const SCHEMA_VERSION: u32 = 1;

/// A file of vectors.
#[derive(Debug, Deserialize)]
pub(crate) struct VectorFile {
    schema_version: u32,
    /// The vectors, in their order.
    pub(crate) vectors: Vec<Vector>,
}

impl VectorFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let file: Self = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        if file.schema_version != SCHEMA_VERSION {
            return Err(format!("schema_version is {}, expected {SCHEMA_VERSION}", file.schema_version));
        }
        Ok(file)
    }
}

/// One case.
#[derive(Debug, Deserialize)]
pub(crate) struct Vector {
    /// Its name, unique in its file.
    pub(crate) id: String,
    /// What is called, and so the layout of input and expectation.
    pub(crate) kind: String,
    /// Which releases it is about.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    input: Value,
    /// What must come out; only the keys that are there are compared.
    pub(crate) expect: Map<String, Value>,
    /// How far numbers under a key may differ.
    #[serde(default)]
    pub(crate) expect_tolerance: BTreeMap<String, f64>,
}

impl Vector {
    /// The input in the layout of its kind.
    pub(crate) fn input<T: DeserializeOwned>(&self) -> Result<T, String> {
        T::deserialize(&self.input).map_err(|error| format!("the input cannot be read: {error}"))
    }

    /// The error for a kind that no family knows.
    pub(crate) fn unknown_kind(&self) -> String {
        format!("unknown kind `{}`", self.kind)
    }
}
