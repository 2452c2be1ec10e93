//! The actuator `processes`, on a supervisor that only pretends.

use super::super::Actuator;
use super::super::platform::OnPlatform;
use super::super::processes::Processes;
use super::super::processes::pretence::{Supervisor, start};
use super::{Stage, conforms, scale};

struct SupervisorStage {
    supervisor: Supervisor,
    actuator: OnPlatform<Processes>,
    _folder: tempfile::TempDir,
}

impl Stage for SupervisorStage {
    fn actuator(&self) -> &dyn Actuator {
        &self.actuator
    }

    async fn lose_one(&self) {
        self.supervisor.pretend(|replicas| replicas.list.remove(0));
    }

    async fn set_dead(&self, is_dead: bool) {
        self.supervisor.pretend(|replicas| replicas.is_dead = is_dead);
    }

    async fn set_failing(&self, is_failing: bool) {
        self.supervisor.pretend(|replicas| replicas.starts_left = is_failing.then_some(0));
    }
}

#[tokio::test]
async fn processes_conforms() {
    let supervisor = Supervisor::default();
    let (folder, actuator) = start(&supervisor);
    let stage = SupervisorStage { supervisor, actuator, _folder: folder };
    scale(&stage, 1).await;
    conforms(&stage).await;
}
