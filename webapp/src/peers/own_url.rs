//! Finds the URL at which peers reach a replica that listens on every address of its machine, as one in a container
//! does.
//!
//! A socket that is directed at the service's own addresses, without sending anything, is given the local address from
//! which they would be reached; that is the address at which they reach back, whichever of several networks it is in.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{UdpSocket, lookup_host};
use tracing::warn;

/// Longest wait for the resolver; a replica that has to wait longer starts without.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// The URL for the address listened on: itself where it is one address, else as seen from whoever is to be reached.
/// The name is asked before the peers, because it stands for the replica's own network.
pub(crate) async fn own_url(
    listening: SocketAddr,
    discover: Option<&(String, u16)>,
    peers: &[String],
) -> String {
    if !listening.ip().is_unspecified() {
        return format!("http://{listening}");
    }
    let authorities = peers.iter().filter_map(|url| url.parse::<http::Uri>().ok()?.into_parts().authority);
    let names = discover.cloned().into_iter().chain(
        authorities.map(|authority| (authority.host().to_owned(), authority.port_u16().unwrap_or(80))),
    );
    let mut is_asked = false;
    for (name, port) in names {
        is_asked = true;
        let looked_up = tokio::time::timeout(LOOK_UP_TIMEOUT, lookup_host((name.as_str(), port))).await;
        for address in looked_up.into_iter().flatten().flatten() {
            if let Some(local) = local_address_towards(address).await {
                return format!("http://{}", SocketAddr::new(local, listening.port()));
            }
        }
    }
    if is_asked {
        warn!(
            %listening,
            "no peer was found that would show this replica's own address; hint: give it with --advertise"
        );
    }
    format!("http://{listening}")
}

async fn local_address_towards(address: SocketAddr) -> Option<IpAddr> {
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(address).await.ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|local| !local.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(port: u16) -> SocketAddr {
        SocketAddr::from(([0, 0, 0, 0], port))
    }

    #[tokio::test]
    async fn one_address_is_its_own_url() {
        let listening = SocketAddr::from(([127, 0, 0, 1], 8000));
        assert_eq!(
            own_url(listening, None, &["http://10.0.0.1:1".to_owned()]).await,
            "http://127.0.0.1:8000"
        );
    }

    #[tokio::test]
    async fn every_address_becomes_the_one_that_peers_see() {
        let discover = ("127.0.0.1".to_owned(), 8000);
        assert_eq!(own_url(any(8000), Some(&discover), &[]).await, "http://127.0.0.1:8000");
        let peers = ["http://127.0.0.1:9".to_owned()];
        assert_eq!(own_url(any(8000), None, &peers).await, "http://127.0.0.1:8000");
    }

    #[tokio::test]
    async fn without_anybody_to_be_reached_by_it_stays_what_it_is() {
        assert_eq!(own_url(any(8000), None, &[]).await, "http://0.0.0.0:8000");
        let nobody = ("no-such-name.invalid".to_owned(), 8000);
        assert_eq!(own_url(any(8000), Some(&nobody), &[]).await, "http://0.0.0.0:8000");
    }
}
