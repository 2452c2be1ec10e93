//! The actuator `ansible`, on a real engine, with a playbook of three lines.

use std::path::{Path, PathBuf};

use super::super::ansible::Ansible;
use super::super::platform::OnPlatform;
use super::compose_stage::{ComposeStage, NO_GATEWAY, endpoints_of, service_of};
use super::conforms;
use super::docker_test::{ComposeVersion, EngineSocket, TestProject, any_version};

/// Whether Ansible can be run; panics if it cannot and has to.
fn has_ansible() -> bool {
    test_requirements::has_program("ansible", "ansible-playbook", "apt-get install ansible-core")
}

/// All that the actuator needs of a playbook; `COMPOSE` stands for a list of words.
const PLAYBOOK: &str = "
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.command:
        argv: COMPOSE + ['-f', compose_file, '-p', compose_project, 'up', '-d', '--no-recreate', '--no-deps',
              '--scale', service ~ '=' ~ target_replicas, service]
";

fn playbook_in(folder: &Path, version: ComposeVersion) -> PathBuf {
    let words: Vec<String> = version.program().split(' ').map(|word| format!("'{word}'")).collect();
    let argv = format!("\"{{{{ [{}]", words.join(", "));
    let text = PLAYBOOK.replace("COMPOSE", &argv).replace("service]", "service] }}\"");
    let path = folder.join("playbook.yml");
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn ansible_conforms() {
    let Some(version) = any_version().filter(|_| has_ansible()) else { return };
    let (project, socket) = (TestProject::up(version, "").await, EngineSocket::open());
    let service = service_of(&project, &socket).await;
    let (gateway, files) = (endpoints_of(NO_GATEWAY), [project.file()]);
    let folder = tempfile::tempdir().unwrap();
    let playbook = playbook_in(folder.path(), version);
    let ansible = Ansible::new(service, gateway, &playbook, &files, None).await.unwrap();
    conforms(&ComposeStage::new(project, socket, Box::new(OnPlatform::new(ansible)))).await;
}

#[tokio::test]
async fn a_playbook_that_is_none_is_found_at_the_start() {
    let Some(version) = any_version().filter(|_| has_ansible()) else { return };
    let (project, socket) = (TestProject::up(version, "").await, EngineSocket::open());
    let service = service_of(&project, &socket).await;
    let gateway = || endpoints_of(NO_GATEWAY);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("playbook.yml");
    let missing = Ansible::new(service.clone(), gateway(), &file, &[], None).await.unwrap_err().to_string();
    assert!(missing.contains("--ansible-playbook"), "{missing}");
    std::fs::write(&file, "- hosts: localhost\n  tasks: 7\n").unwrap();
    let wrong = Ansible::new(service, gateway(), &file, &[], None).await.unwrap_err().to_string();
    assert!(wrong.contains("--syntax-check` failed"), "{wrong}");
}
