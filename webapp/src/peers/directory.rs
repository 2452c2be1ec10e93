//! Remembers the other replicas' URLs for as long as they may come back, and no more of them than a bound.
//!
//! Only living peers are passed on: were a silent one passed on too, two replicas would keep reminding each other of
//! it long after each had meant to forget it, and dead addresses would fill the bound.

use std::collections::BTreeMap;
use std::time::Duration;

/// Most peers that are remembered.
const MAX_PEERS: usize = 256;

/// How long a peer that does not answer is remembered: longer than any cut that should heal by itself, shorter
/// than the time in which dead addresses would pile up.
const REMEMBER: Duration = Duration::from_secs(120);

/// The known peers; time is run time.
#[derive(Debug)]
pub(super) struct Directory {
    own_url: String,
    peers: BTreeMap<String, Peer>,
}

/// What is known of one peer.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// When it last spoke, or was learned of.
    heard_at: Duration,
    /// Whether it has spoken, and answered whatever was asked since.
    living: bool,
}

impl Directory {
    pub(super) fn new(own_url: &str) -> Self {
        Self { own_url: normalize(own_url), peers: BTreeMap::new() }
    }

    /// Adds an unknown peer, unless there are too many already. A known one is not refreshed: that somebody
    /// else mentions a replica does not mean that it lives.
    pub(super) fn learn(&mut self, url: &str, now: Duration) {
        let url = normalize(url);
        if url != self.own_url && self.peers.len() < MAX_PEERS {
            self.peers.entry(url).or_insert(Peer { heard_at: now, living: false });
        }
    }

    /// The peer spoke. One that has been forgotten meanwhile, because it said goodbye, stays forgotten.
    pub(super) fn answered(&mut self, url: &str, now: Duration) {
        if let Some(peer) = self.peers.get_mut(&normalize(url)) {
            *peer = Peer { heard_at: now, living: true };
        }
    }

    /// The peer did not answer; forgets it when it has been silent for too long.
    pub(super) fn silent(&mut self, url: &str, now: Duration) {
        if let Some(peer) = self.peers.get_mut(url) {
            peer.living = false;
            if now.saturating_sub(peer.heard_at) > REMEMBER {
                self.peers.remove(url);
            }
        }
    }

    pub(super) fn forget(&mut self, url: &str) {
        self.peers.remove(&normalize(url));
    }

    /// Learns that this URL leads to the replica itself.
    pub(super) fn is_self(&mut self, url: &str) {
        self.peers.remove(url);
    }

    /// Everybody to be asked.
    pub(super) fn urls(&self) -> Vec<String> {
        self.peers.keys().cloned().collect()
    }

    /// Those that other replicas should know of.
    pub(super) fn living_urls(&self) -> Vec<String> {
        self.peers.iter().filter(|(_, peer)| peer.living).map(|(url, _)| url.clone()).collect()
    }
}

fn normalize(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Directory, MAX_PEERS, REMEMBER};

    #[test]
    fn itself_is_no_peer_and_the_number_is_bounded() {
        let mut directory = Directory::new("http://127.0.0.1:1/");
        directory.learn("http://127.0.0.1:1", Duration::ZERO);
        assert!(directory.urls().is_empty());
        for port in 0..1000 {
            directory.learn(&format!("http://127.0.0.1:{port}"), Duration::ZERO);
        }
        assert_eq!(directory.urls().len(), MAX_PEERS);
    }

    #[test]
    fn a_silent_peer_is_remembered_through_a_cut_and_forgotten_in_the_end() {
        let mut directory = Directory::new("http://a");
        directory.learn("http://b", Duration::ZERO);
        directory.silent("http://b", Duration::from_secs(10));
        assert_eq!(directory.urls(), ["http://b"]);
        directory.answered("http://b", Duration::from_secs(11));
        directory.learn("http://b", Duration::from_secs(100));
        directory.silent("http://b", Duration::from_secs(12) + REMEMBER);
        assert!(directory.urls().is_empty(), "being mentioned kept a dead peer alive");
    }

    #[test]
    fn only_a_peer_that_speaks_is_passed_on() {
        let mut directory = Directory::new("http://a");
        directory.learn("http://b", Duration::ZERO);
        assert!(directory.living_urls().is_empty(), "somebody else's word was passed on");
        directory.answered("http://b/", Duration::from_secs(1));
        assert_eq!(directory.living_urls(), ["http://b"]);
        directory.silent("http://b", Duration::from_secs(2));
        assert!(directory.living_urls().is_empty(), "a dead peer was passed on");
        assert_eq!(directory.urls(), ["http://b"], "a silent peer is still asked");
        directory.forget("http://b");
        directory.answered("http://b", Duration::from_secs(3));
        assert!(directory.urls().is_empty(), "a late answer brought back a peer that had said goodbye");
    }
}
