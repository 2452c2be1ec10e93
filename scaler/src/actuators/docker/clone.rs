//! Works out the container that Compose would make if it scaled the service up by one, from one that it made.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerConfig, ContainerCreateBody, ContainerInspectResponse, EndpointSettings, NetworkingConfig,
};

use super::containers::{MADE_BY_SCALER, NUMBER, PROJECT, REPLACES, SERVICE};

/// Characters of an id that the engine uses as a host name and an alias.
const SHORT_ID: usize = 12;

/// A container to be made.
#[derive(Clone, Debug)]
pub(super) struct CloneOrder {
    pub(super) name: String,
    pub(super) body: ContainerCreateBody,
    /// Networks to join before the start; the body names the first already, and engines before API 1.44 take no more.
    pub(super) further_networks: Vec<(String, EndpointSettings)>,
}

/// The order for replica `number` of a service, made like `original`, from the image called `image`.
///
/// Left out is what belongs to one container alone: host name, hardware and IP address, and the id among the aliases.
pub(super) fn clone_order(original: &ContainerInspectResponse, image: &str, number: u32) -> CloneOrder {
    let id = original.id.as_deref().unwrap_or_default();
    let short_id = id.get(..SHORT_ID).unwrap_or(id);
    let original_name = original.name.as_deref().unwrap_or_default().trim_start_matches('/');
    let config = original.config.clone().unwrap_or_default();
    let labels = config.labels.clone().unwrap_or_default();
    let name = name_of(original_name, &labels, number);

    let host_config = original.host_config.clone().unwrap_or_default();
    let mode = host_config.network_mode.clone().unwrap_or_default();
    let networks = original.network_settings.as_ref().and_then(|settings| settings.networks.clone());
    let mut networks: BTreeMap<String, EndpointSettings> = networks
        .unwrap_or_default()
        .into_iter()
        .map(|(network, settings)| (network, endpoint_of(settings, short_id, original_name, &name)))
        .collect();
    let first = networks.remove_entry(&mode).or_else(|| networks.pop_first());
    let networking_config = first.map(|(network, settings)| NetworkingConfig {
        endpoints_config: Some(HashMap::from([(network, settings)])),
    });

    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        labels: Some(labels_of(labels, number)),
        hostname: config.hostname.clone().filter(|hostname| hostname != short_id),
        host_config: Some(host_config),
        networking_config,
        ..body_of(config)
    };
    CloneOrder { name, body, further_networks: networks.into_iter().collect() }
}

/// What a configuration and an order to make a container have in common.
fn body_of(config: ContainerConfig) -> ContainerCreateBody {
    ContainerCreateBody {
        hostname: config.hostname,
        domainname: config.domainname,
        user: config.user,
        attach_stdin: config.attach_stdin,
        attach_stdout: config.attach_stdout,
        attach_stderr: config.attach_stderr,
        exposed_ports: config.exposed_ports,
        tty: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        env: config.env,
        cmd: config.cmd,
        healthcheck: config.healthcheck,
        args_escaped: config.args_escaped,
        image: config.image,
        volumes: config.volumes,
        working_dir: config.working_dir,
        entrypoint: config.entrypoint,
        network_disabled: config.network_disabled,
        on_build: config.on_build,
        labels: config.labels,
        stop_signal: config.stop_signal,
        stop_timeout: config.stop_timeout,
        shell: config.shell,
        host_config: None,
        networking_config: None,
    }
}

fn labels_of(mut labels: HashMap<String, String>, number: u32) -> HashMap<String, String> {
    labels.remove(REPLACES);
    labels.insert(NUMBER.to_owned(), number.to_string());
    labels.insert(MADE_BY_SCALER.to_owned(), "true".to_owned());
    labels
}

/// `project-service-4` as Compose v2 or `project_service_4` as v1 calls it, whichever made the original.
fn name_of(original: &str, labels: &HashMap<String, String>, number: u32) -> String {
    let label = |name: &str| labels.get(name).map_or("", String::as_str);
    let (project, service) = (label(PROJECT), label(SERVICE));
    let old = format!("{project}_{service}_");
    let separator = if original.contains(&old) { '_' } else { '-' };
    format!("{project}{separator}{service}{separator}{number}")
}

fn endpoint_of(
    settings: EndpointSettings,
    short_id: &str,
    original_name: &str,
    name: &str,
) -> EndpointSettings {
    let renamed = |alias: String| if alias == original_name { name.to_owned() } else { alias };
    let aliases: Option<Vec<String>> = settings
        .aliases
        .map(|aliases| aliases.into_iter().filter(|alias| alias != short_id).map(renamed).collect());
    EndpointSettings {
        aliases,
        links: settings.links,
        driver_opts: settings.driver_opts,
        gw_priority: settings.gw_priority,
        ..EndpointSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "0123456789abcdef0123";

    fn original(name: &str, aliases: &[&str]) -> ContainerInspectResponse {
        serde_json::from_value(json!({
            "Id": ID,
            "Name": name,
            "Image": "sha256:1",
            "Config": {
                "Hostname": "0123456789ab",
                "Env": ["A=b c", "EMPTY="],
                "Cmd": ["webapp", "--listen", "0.0.0.0:8000"],
                "Image": "lab:1",
                "ExposedPorts": {"8000/tcp": {}},
                "Healthcheck": {"Test": ["CMD", "/lab", "health"], "Interval": 1_000_000_000},
                "StopSignal": "SIGINT",
                "StopTimeout": 35,
                "Labels": {
                    "com.docker.compose.project": "shop",
                    "com.docker.compose.service": "webapp",
                    "com.docker.compose.container-number": "1",
                    "com.docker.compose.config-hash": "abc",
                    "com.docker.compose.image": "sha256:1",
                    "com.docker.compose.replace": "shop-webapp-1",
                    "mine": "kept"
                }
            },
            "HostConfig": {
                "NetworkMode": "shop_backend", "Memory": 268_435_456, "NanoCpus": 500_000_000,
                "Binds": ["shop_data:/data:rw"], "ReadonlyRootfs": true, "CapDrop": ["ALL"],
                "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}, "Tmpfs": {"/tmp": ""}
            },
            "NetworkSettings": {"Networks": {
                "shop_backend": {"Aliases": aliases, "NetworkID": "n1", "IPAddress": "172.20.0.4",
                                 "MacAddress": "02:42:ac:14:00:04", "EndpointID": "e1",
                                 "IPAMConfig": {"IPv4Address": "172.20.0.4"}},
                "shop_edge": {"Aliases": aliases, "NetworkID": "n2", "IPAddress": "172.21.0.4"}
            }}
        }))
        .unwrap()
    }

    #[test]
    fn what_the_service_says_is_kept_and_what_is_one_containers_own_is_not() {
        let original = original("/shop-webapp-1", &["shop-webapp-1", "webapp", "0123456789ab"]);
        let order = clone_order(&original, "lab:1", 4);
        assert_eq!(order.name, "shop-webapp-4");
        let body = serde_json::to_value(&order.body).unwrap();
        let before = serde_json::to_value(&original).unwrap();
        for kept in ["Env", "Cmd", "Image", "ExposedPorts", "Healthcheck", "StopSignal", "StopTimeout"] {
            assert_eq!(body[kept], before["Config"][kept], "{kept}");
        }
        assert_eq!(body["HostConfig"], before["HostConfig"], "limits, mounts and restart policy");
        assert_eq!(body["Hostname"], Value::Null, "the engine's own choice for each container");
        let labels = &body["Labels"];
        assert_eq!(labels["com.docker.compose.container-number"], "4");
        assert_eq!(labels["com.docker.compose.config-hash"], "abc");
        assert_eq!(labels["com.docker.compose.image"], "sha256:1");
        assert_eq!((&labels["mine"], &labels["com.docker.compose.replace"]), (&json!("kept"), &Value::Null));
        let aliases = json!({"Aliases": ["shop-webapp-4", "webapp"]});
        assert_eq!(body["NetworkingConfig"], json!({"EndpointsConfig": {"shop_backend": aliases}}));
        let further = serde_json::to_value(&order.further_networks).unwrap();
        assert_eq!(further, json!([["shop_edge", aliases]]));
    }

    #[test]
    fn the_name_follows_the_compose_that_made_the_first() {
        let aliases = ["webapp", "0123456789ab"];
        let order = clone_order(&original("/shop_webapp_1", &aliases), "lab:1", 2);
        assert_eq!(order.name, "shop_webapp_2");
        // Compose 1 puts an id before the name while it replaces a container.
        let order = clone_order(&original("/0123456789ab_shop_webapp_1", &aliases), "lab:1", 3);
        assert_eq!(order.name, "shop_webapp_3");
    }

    #[test]
    fn a_host_name_that_the_service_sets_is_kept() {
        let mut original = original("/shop-webapp-1", &[]);
        original.config.as_mut().unwrap().hostname = Some("shop".to_owned());
        assert_eq!(clone_order(&original, "lab:1", 2).body.hostname.as_deref(), Some("shop"));
    }
}
