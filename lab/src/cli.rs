//! The command line: subcommands, their flags, and the environment variable of each flag.

use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    baseline, demo, docker_proxy, gateway, health, load, policy, scaler, simulate, up, webapp,
};
use crate::failure::{ExitStatus, Failure};
use crate::usage;

/// Shows what load does to a service, what an autoscaler does about it, and whether you would want that policy
/// in production: on one laptop, with one command.
#[derive(Debug, Parser)]
#[command(
    name = "lab",
    version,
    propagate_version = true,
    after_help = "Example:\n  lab up                                        # the whole loop, on http://127.0.0.1:8000\n  \
                  curl http://127.0.0.1:8000/load/spike         # in a second terminal: watch it scale\n  \
                  lab demo --fast                               # or let it play the story by itself\n\n\
                  Every flag of a command is also an environment variable, LAB_<COMMAND>_<FLAG>: \
                  LAB_WEBAPP_WORKERS=8.\n\
                  Exit status: 0 done and held, 1 ran and did not hold, 2 usage or bad input, 3 could not run. It stays the \
                  same when the reader of the output leaves, as in `lab … | head`."
)]
struct Cli {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    /// Run the whole loop: gateway, replicas and scaler, restarted when they die
    Up(Box<up::UpArguments>),
    /// Play the story of a spike unattended, draw it, and judge it
    Demo(Box<demo::DemoArguments>),
    /// Generate load against a service
    Load(Box<load::LoadArguments>),
    /// Measure what a service answers at which rate, and compare such measurements
    Baseline(Box<baseline::BaselineArguments>),
    /// Play policies against a load in virtual time, and compare them
    Simulate(simulate::SimulateArguments),
    /// Make a policy of what was measured
    Policy(policy::PolicyCommandArguments),
    /// Run one replica of the simulated service
    Webapp(Box<webapp::WebappArguments>),
    /// Run the load balancer
    Gateway(gateway::GatewayArguments),
    /// Run the autoscaler
    Scaler(Box<scaler::ScalerArguments>),
    /// Let a scaler use the Docker engine for one service, and for nothing else
    DockerProxy(docker_proxy::DockerProxyArguments),
    /// Ask a process whether it is well, for health checks without a shell
    Health(health::HealthArguments),
}

/// Reads the command line and runs what it asks for.
pub(crate) fn parse_and_run() -> Result<ExitStatus, Failure> {
    let cli = match command().try_get_matches().and_then(|matches| from_matches(&matches)) {
        Ok(cli) => cli,
        // Help and version go to standard output with status 0, mistakes to standard error with status 2.
        Err(error) => return Ok(usage::refuse(&error)),
    };
    match cli.command {
        LabCommand::Up(arguments) => up::run(*arguments),
        LabCommand::Demo(arguments) => demo::run(*arguments),
        LabCommand::Load(arguments) => load::run(*arguments),
        LabCommand::Baseline(arguments) => baseline::run(*arguments),
        LabCommand::Simulate(arguments) => simulate::run(arguments),
        LabCommand::Policy(arguments) => policy::run(arguments),
        LabCommand::Webapp(arguments) => webapp::run(*arguments),
        LabCommand::Gateway(arguments) => gateway::run(arguments),
        LabCommand::Scaler(arguments) => scaler::run(*arguments),
        LabCommand::DockerProxy(arguments) => docker_proxy::run(arguments),
        LabCommand::Health(arguments) => health::run(arguments),
    }
}

fn from_matches(matches: &ArgMatches) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(matches).map_err(|error| error.format(&mut command()))
}

/// The command line with the environment variable of each flag, named by one rule.
fn command() -> Command {
    let mut command = Cli::command();
    let names: Vec<String> =
        command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(&name, |subcommand| {
            let subcommand = with_environment_variables(&name, subcommand);
            // These print what happens themselves; the logs of all their processes would bury it.
            if matches!(name.as_str(), "up" | "demo") {
                subcommand.mut_arg("log_level", |argument| argument.default_value("warn"))
            } else {
                subcommand
            }
        });
    }
    command
}

/// A command below another has both names in its variables: `LAB_BASELINE_DIFF_TOLERANCE`.
fn with_environment_variables(path: &str, command: Command) -> Command {
    let names: Vec<String> =
        command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    let command = command.mut_args(|argument| with_environment_variable(path, argument));
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(&name, |subcommand| {
            with_environment_variables(&format!("{path}_{name}"), subcommand)
        })
    })
}

fn with_environment_variable(subcommand: &str, argument: Arg) -> Arg {
    let Some(flag) = argument.get_long() else { return argument };
    if matches!(flag, "help" | "version") {
        return argument;
    }
    let variable = format!("LAB_{subcommand}_{flag}").to_uppercase().replace('-', "_");
    argument.env(variable).hide_env_values(true)
}

#[cfg(test)]
mod tests {
    use super::command;

    /// Every command, those below another included, with the names that lead to it.
    fn all_commands() -> Vec<(String, clap::Command)> {
        fn below(path: &str, command: &clap::Command) -> Vec<(String, clap::Command)> {
            command
                .get_subcommands()
                .filter(|subcommand| subcommand.get_name() != "help")
                .flat_map(|subcommand| {
                    let name = subcommand.get_name();
                    let path = if path.is_empty() { name.to_owned() } else { format!("{path}_{name}") };
                    let deeper = below(&path, subcommand);
                    std::iter::once((path, subcommand.clone())).chain(deeper)
                })
                .collect()
        }
        below("", &command())
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_has_an_environment_variable_and_help() {
        for (path, subcommand) in all_commands() {
            for argument in subcommand.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let flag = argument.get_long().unwrap();
                if matches!(flag, "help" | "version") {
                    continue;
                }
                let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                let expected = format!("LAB_{path}_{flag}").to_uppercase().replace('-', "_");
                assert_eq!(variable.as_deref(), Some(expected.as_str()), "--{flag}");
                assert!(argument.get_help().is_some(), "--{flag} of {} has no help", subcommand.get_name());
            }
        }
    }

    #[test]
    fn every_help_ends_with_an_example() {
        for (path, subcommand) in all_commands() {
            let after = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.starts_with("Example"), "lab {path} --help has no example");
        }
    }
}
