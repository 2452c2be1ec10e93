//! The actuator `command`, with scripts that keep the count in a file.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::command::CommandPlatform;
use super::super::platform::OnPlatform;
use super::super::{Actuator, ActuatorError};
use super::{Stage, conforms};
use crate::command_template::CommandTemplate;

const COUNT: &str = r#"#!/bin/sh
test "$1" = webapp || { echo "no service $1" >&2; exit 1; }
test -e "$(dirname "$0")/dead" && { echo "nobody answers" >&2; exit 1; }
echo "replicas of $1:"
cat "$(dirname "$0")/count"
"#;

const SCALE: &str = r#"#!/bin/sh
here=$(dirname "$0")
test -e "$here/dead" && { echo "nobody answers" >&2; exit 1; }
test -e "$here/failing" && { echo "no room for another" >&2; exit 1; }
echo "$2" > "$here/new" && mv "$here/new" "$here/count"
"#;

struct ProgramStage {
    folder: tempfile::TempDir,
    actuator: OnPlatform<CommandPlatform>,
}

impl ProgramStage {
    fn set_mark(&self, name: &str, is_set: bool) {
        let mark = self.folder.path().join(name);
        if is_set {
            std::fs::write(mark, "").unwrap();
        } else {
            std::fs::remove_file(mark).unwrap();
        }
    }
}

impl Stage for ProgramStage {
    fn actuator(&self) -> &dyn Actuator {
        &self.actuator
    }

    async fn lose_one(&self) {
        std::fs::write(self.folder.path().join("count"), "1\n").unwrap();
    }

    async fn set_dead(&self, is_dead: bool) {
        self.set_mark("dead", is_dead);
    }

    async fn set_failing(&self, is_failing: bool) {
        self.set_mark("failing", is_failing);
    }
}

fn write_script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

async fn platform(folder: &Path, service: &str) -> Result<CommandPlatform, ActuatorError> {
    let scale = format!("{} {{service}} {{replicas}}", write_script(folder, "scale.sh", SCALE));
    let count = format!("{} {{service}}", write_script(folder, "count.sh", COUNT));
    let (scale, count) =
        (CommandTemplate::to_scale(&scale).unwrap(), CommandTemplate::to_count(&count).unwrap());
    CommandPlatform::new(service, &scale, &count).await
}

#[tokio::test]
async fn command_conforms() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("count"), "1\n").unwrap();
    let platform = platform(folder.path(), "webapp").await.unwrap();
    conforms(&ProgramStage { folder, actuator: OnPlatform::new(platform) }).await;
}

#[tokio::test]
async fn a_count_command_that_cannot_count_is_found_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let error = platform(folder.path(), "unknown").await.unwrap_err().to_string();
    assert!(error.contains("no service unknown"), "the program's own words: {error}");
    std::fs::write(folder.path().join("count"), "three\n").unwrap();
    let error = platform(folder.path(), "webapp").await.unwrap_err().to_string();
    assert!(error.contains("printed `three`, expected a number"), "{error}");
}
