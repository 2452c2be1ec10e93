//! Collects what an import has to say: one line for each kind, with how often it came and examples.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use excerpt::{excerpt, shortened};

/// How many different examples a line names.
const EXAMPLES_MAX: usize = 4;

/// The most characters of a line.
const LINE_CHARS_MAX: usize = 600;

/// What an import has to say, in the order in which it was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// Lines that stand by themselves come first.
    heads: Vec<String>,
    counted: Vec<Counted>,
}

/// A kind of thing that is counted: what happened to how many of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// `left out`, `changed`, …
    pub(super) verb: &'static str,
    /// One of them, and several: `entry`, `entries`.
    pub(super) noun: [&'static str; 2],
    /// Which of them, and what can be done.
    pub(super) which: &'static str,
}

#[derive(Clone, Debug)]
struct Counted {
    kind: Kind,
    count: usize,
    examples: Vec<(String, usize)>,
    places: BTreeMap<String, usize>,
}

impl Notes {
    /// Adds a line that stands by itself.
    pub(super) fn say(&mut self, line: String) {
        self.heads.push(line);
    }

    /// Counts one more of `kind`; `example` names it.
    pub(super) fn count(&mut self, kind: Kind, example: &str) {
        let place = self.counted.iter().position(|counted| counted.kind == kind).unwrap_or_else(|| {
            self.counted.push(Counted { kind, count: 0, examples: Vec::new(), places: BTreeMap::new() });
            self.counted.len() - 1
        });
        let counted = &mut self.counted[place];
        counted.count += 1;
        let example = excerpt(example).to_string();
        if let Some(&known) = counted.places.get(&example) {
            counted.examples[known].1 += 1;
        } else {
            counted.places.insert(example.clone(), counted.examples.len());
            counted.examples.push((example, 1));
        }
    }

    /// All lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let heads = self.heads.iter().map(|line| shortened(line, LINE_CHARS_MAX));
        heads.chain(self.counted.iter().map(Counted::line)).collect()
    }

    /// What was counted, as one text; for an error that says why nothing is left.
    pub(super) fn counted(&self) -> String {
        let lines: Vec<_> = self.counted.iter().map(Counted::line).collect();
        lines.join("; ")
    }
}

impl Counted {
    fn line(&self) -> String {
        let Kind { verb, noun: [one, several], which } = self.kind;
        let noun = if self.count == 1 { one } else { several };
        let mut line = format!("{verb} {} {noun}", self.count);
        if !which.is_empty() {
            line.push(' ');
            line.push_str(which);
        }
        for (index, (example, count)) in self.examples.iter().take(EXAMPLES_MAX).enumerate() {
            line.push_str(if index == 0 { ": " } else { ", " });
            line.push_str(example);
            if *count > 1 {
                write!(line, " ({count})").expect("a string takes whatever is written");
            }
        }
        if let Some(more) = self.examples.len().checked_sub(EXAMPLES_MAX).filter(|more| *more > 0) {
            write!(line, ", and {more} more").expect("a string takes whatever is written");
        }
        line
    }
}
