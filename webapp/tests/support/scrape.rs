//! A scrape of a replica, as a map from series to value.

use std::collections::BTreeMap;

use super::replica::Replica;

/// The samples of one scrape.
#[derive(Clone, Debug)]
pub(crate) struct Scrape {
    /// From the series, as it is written, to its value.
    pub(crate) samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// Scrapes the whole replica.
    pub(crate) async fn of(replica: &Replica) -> Self {
        let reply = replica.scrape("/metrics").await;
        Self::parse(std::str::from_utf8(&reply.body).expect("an exposition is text"))
    }

    /// Reads the samples of an exposition.
    pub(crate) fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a sample is a series and a value");
            (series.to_owned(), value.parse().expect("a sample's value is a number"))
        });
        Self { samples: samples.collect() }
    }

    /// The value of the series that is written exactly so.
    pub(crate) fn value(&self, series: &str) -> f64 {
        *self.samples.get(series).unwrap_or_else(|| panic!("`{series}` is missing from {:#?}", self.samples))
    }
}
