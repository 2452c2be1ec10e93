//! A process of the lab with all its settings, as its supervisor hands them to it.

use serde::Serialize;

use crate::commands::gateway::GatewayArguments;
use crate::commands::scaler::ScalerArguments;
use crate::commands::webapp::WebappArguments;

/// Which command a child runs, and what would otherwise be its flags.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ChildCommand {
    /// `lab webapp`.
    Webapp(Box<WebappArguments>),
    /// `lab gateway`.
    Gateway(Box<GatewayArguments>),
    /// `lab scaler`.
    Scaler(Box<ScalerArguments>),
}

impl ChildCommand {
    /// The name of the command.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Webapp(_) => "webapp",
            Self::Gateway(_) => "gateway",
            Self::Scaler(_) => "scaler",
        }
    }

    /// The settings as the one line that [`crate::supervised::settings`] reads.
    pub(crate) fn document(&self) -> String {
        let mut line = serde_json::to_string(self).expect("settings are plain data with texts as keys");
        line.push('\n');
        line
    }

    /// The same, listening where the process said that it listens: a restart then has the same addresses, although the
    /// system chose the ports.
    pub(crate) fn listening_where(mut self, announcement: &str) -> Self {
        let mut addresses =
            announcement.split(", admin on ").map(|url| url.trim_start_matches("http://").to_owned());
        let (listen, admin) = match &mut self {
            Self::Webapp(arguments) => (&mut arguments.listen, None),
            Self::Gateway(arguments) => (&mut arguments.listen, Some(&mut arguments.admin)),
            Self::Scaler(arguments) => (&mut arguments.listen, None),
        };
        for field in [Some(listen), admin].into_iter().flatten() {
            if let Some(address) = addresses.next() {
                *field = address;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::ChildCommand;
    use crate::arguments::defaults;
    use crate::commands::gateway::GatewayArguments;
    use crate::commands::scaler::ScalerArguments;
    use crate::commands::webapp::WebappArguments;

    #[test]
    fn a_restart_listens_where_the_first_start_did() {
        let gateway = GatewayArguments {
            listen: "127.0.0.1:0".to_owned(),
            admin: "127.0.0.1:0".to_owned(),
            ..defaults()
        };
        let said = "http://127.0.0.1:4711, admin on http://127.0.0.1:4712";
        let ChildCommand::Gateway(again) = ChildCommand::Gateway(Box::new(gateway)).listening_where(said)
        else {
            panic!("it stays a gateway")
        };
        assert_eq!([again.listen, again.admin], ["127.0.0.1:4711", "127.0.0.1:4712"]);

        let scaler = ChildCommand::Scaler(Box::new(defaults()));
        let ChildCommand::Scaler(again) = scaler.listening_where("http://127.0.0.1:4713") else {
            panic!("it stays a scaler")
        };
        assert_eq!(again.listen, "127.0.0.1:4713");
    }

    fn read<T: DeserializeOwned>(command: &ChildCommand) -> T {
        let document = command.document();
        assert_eq!(document.matches('\n').count(), 1, "settings are one line: {document}");
        serde_json::from_str(&document).unwrap_or_else(|error| panic!("{error}: {document}"))
    }

    /// What a child gets is what was handed to it, whatever the command.
    #[test]
    fn settings_come_back_from_their_document() {
        let webapp: WebappArguments =
            WebappArguments { peers: vec!["http://127.0.0.1:1".to_owned()], ..defaults() };
        let again: WebappArguments = read(&ChildCommand::Webapp(Box::new(webapp.clone())));
        assert_eq!(format!("{again:?}"), format!("{webapp:?}"));

        let endpoints = ["http://127.0.0.1:1", "http://db:2"].map(|url| url.parse().unwrap()).to_vec();
        let gateway: GatewayArguments = GatewayArguments { endpoints, ..defaults() };
        let again: GatewayArguments = read(&ChildCommand::Gateway(Box::new(gateway.clone())));
        assert_eq!(format!("{again:?}"), format!("{gateway:?}"));

        let scaler: ScalerArguments = defaults();
        let again: ScalerArguments = read(&ChildCommand::Scaler(Box::new(scaler.clone())));
        assert_eq!(format!("{again:?}"), format!("{scaler:?}"));
    }
}
