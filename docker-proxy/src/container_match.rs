//! Judges whether a container to be made is like one that Compose made for the service: the same image, command, user,
//! environment, mounts, limits, rights and networks. What differs must be what tells replicas apart.

use serde_json::{Map, Value};

use super::document::members_besides;

/// What belongs to one container alone, or is compared in a way of its own.
const OWN: [&str; 8] =
    ["Hostname", "Domainname", "Image", "Labels", "HostConfig", "NetworkingConfig", "MacAddress", "Volumes"];

/// Labels that number a replica, or tell who made it.
const OWN_LABELS: [&str; 3] =
    ["com.docker.compose.container-number", "com.docker.compose.replace", "autoscale-lab.replica"];

/// What an endpoint in a network may say as the original's does.
const ENDPOINT: [&str; 3] = ["Links", "DriverOpts", "GwPriority"];

/// Compares an order with the inspection of a container; the error names what differs.
pub(super) fn check(order: &Value, original: &Value) -> Result<(), String> {
    let config = &original["Config"];
    same("", &without(order, &OWN), &without(config, &OWN))?;
    same("Volumes", &order["Volumes"], &config["Volumes"])?;
    same("HostConfig", &order["HostConfig"], &original["HostConfig"])?;
    same("Labels", &without(&order["Labels"], &OWN_LABELS), &without(&config["Labels"], &OWN_LABELS))?;
    if order["Image"] != config["Image"] && order["Image"] != original["Image"] {
        return Err(format!("Image is {}, expected {}", order["Image"], config["Image"]));
    }
    let networking = &order["NetworkingConfig"];
    if let Some(more) = members_besides(networking, &["EndpointsConfig"]).filter(|more| !more.is_empty()) {
        return Err(format!("NetworkingConfig says more than EndpointsConfig: {}", more.join(", ")));
    }
    for (network, endpoint) in networking["EndpointsConfig"].as_object().into_iter().flatten() {
        check_endpoint(network, endpoint, original)?;
    }
    Ok(())
}

/// Whether a replica may be put into this network in this way: only into one in which the original is, too.
pub(super) fn check_endpoint(network: &str, endpoint: &Value, original: &Value) -> Result<(), String> {
    let mut networks = original["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    let Some((_, settings)) =
        networks.find(|(name, settings)| *name == network || settings["NetworkID"] == network)
    else {
        return Err(format!("network `{network}` is not one of the service's"));
    };
    for name in ENDPOINT {
        if pruned(&endpoint[name]).is_some() {
            same(&format!("{name} in `{network}`"), &endpoint[name], &settings[name])?;
        }
    }
    match pruned(&without(&without(endpoint, &ENDPOINT), &["Aliases"])) {
        None => Ok(()),
        Some(more) => Err(format!("the endpoint in `{network}` says more than its aliases: {more}")),
    }
}

fn without(value: &Value, names: &[&str]) -> Value {
    let members = value.as_object().into_iter().flatten();
    let kept = members.filter(|(name, _)| !names.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Names the first member in which two values differ, where absent and empty are the same.
fn same(path: &str, found: &Value, expected: &Value) -> Result<(), String> {
    let (found, expected) = (pruned(found), pruned(expected));
    if found == expected {
        return Ok(());
    }
    let empty = Map::new();
    let members =
        |value: &Option<Value>| value.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    let (found_members, expected_members) = (members(&found), members(&expected));
    if found_members != empty || expected_members != empty {
        for name in found_members.keys().chain(expected_members.keys()) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            same(
                &path,
                found_members.get(name).unwrap_or(&Value::Null),
                expected_members.get(name).unwrap_or(&Value::Null),
            )?;
        }
    }
    let shown = |value: Option<Value>| value.map_or("nothing".to_owned(), |value| value.to_string());
    Err(format!("{path} is {}, expected {}", shown(found), shown(expected)))
}

/// The value without what says nothing; none if nothing is left.
fn pruned(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.iter().all(|item| pruned(item).is_none()) => None,
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .iter()
                .filter_map(|(name, value)| {
                    // A port or a volume is named by a key with nothing behind it.
                    let is_named = value.as_object().is_some_and(Map::is_empty);
                    if is_named {
                        Some((name.clone(), value.clone()))
                    } else {
                        Some((name.clone(), pruned(value)?))
                    }
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        kept => Some(kept.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn original() -> Value {
        json!({
            "Image": "sha256:1",
            "Config": {
                "Hostname": "0123456789ab", "User": "65532:65532", "Image": "lab:1", "Tty": false,
                "Env": ["A=b"], "Cmd": ["webapp"], "Entrypoint": ["/lab"], "ExposedPorts": {"8000/tcp": {}},
                "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.container-number": "1"}
            },
            "HostConfig": {
                "Binds": null, "ReadonlyRootfs": true, "CapDrop": ["ALL"], "Memory": 1000, "ConsoleSize": [0, 0],
                "NetworkMode": "shop_backend", "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}
            },
            "NetworkSettings": {"Networks": {"shop_backend": {"NetworkID": "n1", "Aliases": ["webapp"]}}}
        })
    }

    /// What a scaler sends: the same, without what says nothing, and with a number of its own.
    fn order() -> Value {
        json!({
            "User": "65532:65532", "Image": "lab:1", "Env": ["A=b"], "Cmd": ["webapp"], "Entrypoint": ["/lab"],
            "ExposedPorts": {"8000/tcp": {}},
            "Labels": {
                "com.docker.compose.project": "shop", "com.docker.compose.container-number": "2",
                "autoscale-lab.replica": "true"
            },
            "HostConfig": {
                "ReadonlyRootfs": true, "CapDrop": ["ALL"], "Memory": 1000, "NetworkMode": "shop_backend",
                "RestartPolicy": {"Name": "unless-stopped"}
            },
            "NetworkingConfig": {"EndpointsConfig": {"shop_backend": {"Aliases": ["webapp", "shop-webapp-2"]}}}
        })
    }

    #[test]
    fn a_replica_like_the_others_is_allowed() {
        assert_eq!(check(&order(), &original()), Ok(()));
        let mut by_id = order();
        by_id["Image"] = json!("sha256:1");
        assert_eq!(check(&by_id, &original()), Ok(()));
    }

    #[test]
    fn whatever_would_give_it_more_or_make_it_something_else_is_refused() {
        for (path, value) in [
            ("/HostConfig/Privileged", json!(true)),
            ("/HostConfig/Binds", json!(["/:/host"])),
            ("/HostConfig/Mounts", json!([{"Type": "bind", "Source": "/", "Target": "/host"}])),
            ("/HostConfig/CapDrop", json!([])),
            ("/HostConfig/CapAdd", json!(["SYS_ADMIN"])),
            ("/HostConfig/ReadonlyRootfs", json!(false)),
            ("/HostConfig/Memory", json!(0)),
            ("/HostConfig/PidMode", json!("host")),
            ("/HostConfig/NetworkMode", json!("host")),
            ("/HostConfig/Devices", json!([{"PathOnHost": "/dev/mem"}])),
            ("/HostConfig/PortBindings", json!({"8000/tcp": [{"HostPort": "8000"}]})),
            ("/User", json!("0")),
            ("/User", json!("")),
            ("/Cmd", json!(["health"])),
            ("/Entrypoint", json!(["/bin/sh"])),
            ("/Env", json!(["A=b", "LD_PRELOAD=x"])),
            ("/Image", json!("other:1")),
            ("/Volumes", json!({"/data": {}})),
            ("/ExposedPorts", json!({"22/tcp": {}})),
            ("/Labels/com.docker.compose.project", json!("other")),
            ("/Labels/more", json!("said")),
            ("/NetworkingConfig/EndpointsConfig/other_net", json!({})),
            (
                "/NetworkingConfig/EndpointsConfig/shop_backend",
                json!({"IPAMConfig": {"IPv4Address": "10.0.0.1"}}),
            ),
            (
                "/NetworkingConfig/EndpointsConfig/shop_backend",
                json!({"DriverOpts": {"com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.forwarding=1"}}),
            ),
            ("/NetworkingConfig/endpointsconfig", json!({"other_net": {}})),
            ("/Unheard", json!("of")),
        ] {
            let mut changed = order();
            let (parent, name) = path.rsplit_once('/').unwrap();
            changed.pointer_mut(parent).unwrap()[name] = value.clone();
            assert!(check(&changed, &original()).is_err(), "{path} = {value} was allowed");
        }
        assert!(check(&json!({}), &original()).is_err() && check(&Value::Null, &original()).is_err());
    }

    #[test]
    fn the_refusal_names_what_differs() {
        let mut changed = order();
        changed["HostConfig"]["Privileged"] = json!(true);
        assert_eq!(
            check(&changed, &original()),
            Err("HostConfig.Privileged is true, expected nothing".to_owned())
        );
    }
}
