//! Reads a load shape from a file: YAML or JSON as the workload crate defines shapes, or a recorded trace as CSV.

use std::path::Path;

use excerpt::sentence;
use workload::Shape;
use workload::replay::shape_from_csv;

use crate::text_file;

/// A file of this size is certainly none; a trace of a million rows is far smaller.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

const SHAPE_HINT: &str = "`{\"kind\": \"spike\", \"base\": 1, \"peak\": 5, \"hold_seconds\": 120, \"ramp_seconds\": 30}` is a shape";

const TRACE_HINT: &str =
    "a trace is `minute,requests` or `time,requests` and then a row such as `0,43` for each interval";

/// A file that is no load shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}; hint: {hint}")]
pub struct ShapeFileError {
    /// The file.
    pub file: String,
    /// Line and field where they are known, what stands there, and what was expected.
    pub problem: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// Reads a shape. A file that ends in `.csv`, or begins with the header of a trace, is a trace, whose levels are the
/// requests per second that were recorded; any other is YAML or JSON.
///
/// # Errors
/// Names the file, the line and field where they are known, what stands there, what was expected, and a hint.
pub fn read_shape(path: &Path) -> Result<Shape, ShapeFileError> {
    let refuse = |problem: String, hint| ShapeFileError { file: path.display().to_string(), problem, hint };
    let text = text_file::read(path, FILE_BYTES_MAX, "a load shape")
        .map_err(|problem| refuse(problem, SHAPE_HINT))?;
    if is_trace(path, &text) {
        return shape_from_csv(&text).map_err(|error| refuse(error.to_string(), TRACE_HINT));
    }
    serde_saphyr::from_str(&text).map_err(|error| {
        let problem = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
        refuse(sentence(problem.lines().next().unwrap_or_default()), SHAPE_HINT)
    })
}

fn is_trace(path: &Path, text: &str) -> bool {
    let ends_in_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let first = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'));
    // Neither YAML nor JSON of a shape begins so.
    ends_in_csv || first.is_some_and(|line| line.starts_with("time,") || line.starts_with("minute,"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use workload::Shape;

    use super::{ShapeFileError, read_shape};

    fn read(name: &str, text: &str) -> Result<Shape, ShapeFileError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        read_shape(&path)
    }

    #[test]
    fn a_trace_is_known_by_its_ending_or_its_header() {
        for name in ["day.csv", "DAY.CSV", "day.txt"] {
            let shape = read(name, "# a day\nminute,requests\n0,60\n1,120\n").expect(name);
            assert!((shape.level_at(Duration::from_secs(61)) - 2.0).abs() < 1e-9, "{name}");
            assert_eq!(shape.ends_after(), Some(Duration::from_secs(120)), "{name}");
        }
        let seconds = read("day", "time,requests\n0,10\n5,20\n").expect("a trace of seconds");
        assert!((seconds.level_at(Duration::from_secs(6)) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn yaml_and_json_are_shapes_as_before() {
        let yaml = "kind: spike\nbase: 1\npeak: 5\nhold_seconds: 120\nramp_seconds: 30\n";
        let json = r#"{"kind": "spike", "base": 1, "peak": 5, "hold_seconds": 120, "ramp_seconds": 30}"#;
        assert_eq!(read("spike.yaml", yaml), read("spike.json", json));
        assert!((read("spike", yaml).expect("a shape").level_at(Duration::ZERO) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_field() {
        for (name, text, parts) in [
            ("a.csv", "minute,requests\n0,43\n1,many\n", &["line 3", "`requests` is `many`"][..]),
            ("a.csv", "time,requests\n0,43\n0,44\n", &["line 3", "`time` is `0`"]),
            ("a.csv", "minute;requests\n0;43\n", &["line 1", "header is `minute;requests`"]),
            ("a.csv", "minute,requests\n0,43,1\n", &["line 2", "row is `0,43,1`"]),
            ("a.csv", "", &["empty"]),
            ("a.txt", "minute,request\n0,43\n", &["line 1", "header"]),
            ("a.yaml", "kind: spike\nbase: 1\n", &["missing field `peak`"]),
            ("a.yaml", "kind: wave\n", &["wave"]),
        ] {
            let error = read(name, text).expect_err(text).to_string();
            assert!(error.contains(name) && error.contains("; hint: "), "{error}");
            for part in parts {
                assert!(error.contains(part), "`{part}` is missing: {error}");
            }
        }
        let missing = read_shape(std::path::Path::new("nowhere/day.csv")).unwrap_err().to_string();
        assert!(missing.contains("nowhere/day.csv: cannot be opened"), "{missing}");
    }
}
