//! Tables from whose rows users take values: read once, whole, shared by all users.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use excerpt::excerpt;
use rand::RngExt;
use workload::Stream;

use super::compile::names::is_name;
use super::document::{FeederSource, RowOrder};
use super::error::Mistake;
use super::located::Located;
use super::untyped::Untyped;
use crate::text_file;

/// The most rows of a table.
const MOST_ROWS: usize = 1_000_000;

/// The largest CSV file.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A table with at least one row.
#[derive(Debug)]
pub(crate) struct Feeder {
    /// The names of the columns.
    pub(crate) columns: Vec<String>,
    rows: Vec<Vec<Untyped>>,
    order: RowOrder,
    next: AtomicUsize,
}

impl Feeder {
    /// Reads the table called `name`; files are relative to `folder`.
    pub(crate) fn read(
        name: &str,
        source: &Located<FeederSource>,
        folder: Option<&Path>,
    ) -> Result<Self, Mistake> {
        let place = format!("spec.feeders.{name}");
        let (columns, rows) = match (&source.value.file, &source.value.rows) {
            (Some(file), None) => read_file(&place, file, folder)?,
            (None, Some(rows)) => read_rows(&place, rows)?,
            _ => {
                return Err(Mistake::new(
                    source.line,
                    format!("`{place}` needs exactly one of `file` and `rows`"),
                    "`file: customers.csv` names a CSV file with a header; `rows: [{item: book}]` gives rows in place",
                ));
            }
        };
        Ok(Self { columns, rows, order: source.value.order, next: AtomicUsize::new(0) })
    }

    /// The next row's values, in the order of the columns.
    pub(crate) fn next_row(&self, stream: &mut Stream) -> &[Untyped] {
        let index = match self.order {
            RowOrder::Random => stream.random_range(0..self.rows.len()),
            RowOrder::Sequential => self.next.fetch_add(1, Ordering::Relaxed) % self.rows.len(),
        };
        &self.rows[index]
    }
}

type Table = (Vec<String>, Vec<Vec<Untyped>>);

fn read_file(place: &str, file: &Located<String>, folder: Option<&Path>) -> Result<Table, Mistake> {
    let refuse = |problem: String, hint: &str| {
        Err(Mistake::new(file.line, format!("`{place}.file` is `{}`: {problem}", excerpt(&file.value)), hint))
    };
    let path = folder.map_or_else(|| Path::new(&file.value).to_owned(), |folder| folder.join(&file.value));
    // Opening a pipe that nobody writes to would wait forever.
    if std::fs::metadata(&path).is_ok_and(|data| !data.is_file()) {
        return refuse("it is no file".to_owned(), "name a CSV file");
    }
    let text = match text_file::read(&path, FILE_BYTES_MAX, "a table") {
        Ok(text) => text,
        Err(problem) => {
            return refuse(format!("it {problem}"), "the path is relative to the scenario's folder");
        }
    };
    let csv_hint = "a CSV file has a header line, and as many fields in each line; a field with a comma stands in quotes";
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(str::to_owned).collect(),
        Err(error) => return refuse(format!("{error}"), csv_hint),
    };
    if columns.iter().any(|column| !is_name(column)) {
        let problem =
            format!("its header is `{}`, and not each of these is a name", excerpt(&columns.join(",")));
        return refuse(problem, "a column's name has letters, digits, `_` and `-` and begins with a letter");
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => rows.push(record.iter().map(Untyped::from).collect()),
            Err(error) => return refuse(format!("{error}"), csv_hint),
        }
        if rows.len() > MOST_ROWS {
            return refuse(format!("it has more than {MOST_ROWS} rows"), "keep fewer rows");
        }
    }
    if rows.is_empty() {
        return refuse("it has no row below its header".to_owned(), "add at least one row");
    }
    Ok((columns, rows))
}

fn read_rows(place: &str, rows: &Located<Vec<BTreeMap<String, Untyped>>>) -> Result<Table, Mistake> {
    let refuse =
        |problem: &str, hint: &str| Err(Mistake::new(rows.line, format!("`{place}.rows` {problem}"), hint));
    let Some(first) = rows.value.first() else {
        return refuse("is empty", "add at least one row such as `{item: book}`");
    };
    let columns: Vec<String> = first.keys().cloned().collect();
    if columns.is_empty() || columns.iter().any(|column| !is_name(column)) {
        return refuse(
            "has a column that is no name",
            "a column's name has letters, digits, `_` and `-` and begins with a letter",
        );
    }
    if let Some(row) = rows.value.iter().position(|row| !row.keys().eq(columns.iter())) {
        let problem = format!("has other columns in row {} than in row 1: {}", row + 1, columns.join(", "));
        return refuse(&problem, "give each row the same columns");
    }
    Ok((columns, rows.value.iter().map(|row| row.values().cloned().collect()).collect()))
}
