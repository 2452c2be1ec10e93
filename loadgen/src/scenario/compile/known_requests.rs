//! The requests of a scenario so far: how many there are, and under which names they are counted.

use super::super::error::Mistake;
use super::names::MOST_REQUESTS;

/// The requests that were compiled.
#[derive(Debug, Default)]
pub(super) struct KnownRequests {
    /// Their names, each once.
    pub(super) names: Vec<String>,
    count: usize,
}

impl KnownRequests {
    /// Adds one; its place among all requests, and that of its name.
    pub(super) fn add(&mut self, name: String, line: Option<u64>) -> Result<(usize, usize), Mistake> {
        let name_index = self.name_index(name, line)?;
        self.count += 1;
        Ok((self.count - 1, name_index))
    }

    /// The place of a request's counters, new or known.
    fn name_index(&mut self, name: String, line: Option<u64>) -> Result<usize, Mistake> {
        if let Some(index) = self.names.iter().position(|known| *known == name) {
            return Ok(index);
        }
        if self.names.len() >= MOST_REQUESTS {
            return Err(Mistake::new(
                line,
                format!("there are more than {MOST_REQUESTS} requests with names of their own"),
                "group requests by giving them the same `name`",
            ));
        }
        self.names.push(name);
        Ok(self.names.len() - 1)
    }
}
