//! Makes of a document what users play: every name known, every text read, every number within its bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::document::{Document, Spec, StepDocument, TaskDocument, TaskOrder, UserDocument};
use super::error::Mistake;
use super::feeder::Feeder;
use super::located::Located;
use super::template::Symbols;
use super::user_type::{Pause, Step, Task, UserType};

mod answer;
mod known_requests;
pub(super) mod names;
mod request;

use known_requests::KnownRequests;
use names::{check_name, weight};

/// What users play.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) user_types: Vec<Arc<UserType>>,
    pub(super) request_names: Vec<String>,
}

/// What is the same for all steps of a document.
struct Context<'a> {
    spec: &'a Spec,
    feeders: BTreeMap<&'a str, Arc<Feeder>>,
    requests: KnownRequests,
}

/// Checks all of the document, and keeps of it what has one of `tags`, or all where there are none.
pub(super) fn compile(
    document: &Document,
    folder: Option<&Path>,
    tags: &[String],
) -> Result<Compiled, Mistake> {
    let spec = &document.spec;
    for name in spec.variables.keys() {
        check_name(name, &format!("spec.variables.{name}"), None)?;
    }
    let mut feeders = BTreeMap::new();
    for (name, source) in &spec.feeders {
        check_name(name, &format!("spec.feeders.{name}"), source.line)?;
        feeders.insert(name.as_str(), Arc::new(Feeder::read(name, source, folder)?));
    }
    if spec.users.value.is_empty() {
        return Err(Mistake::new(
            spec.users.line,
            "`spec.users` is empty, expected at least one kind of user",
            "a kind of user has a name, a wait and tasks",
        ));
    }
    check_tags(spec, tags)?;
    let mut context = Context { spec, feeders, requests: KnownRequests::default() };
    let mut names = BTreeSet::new();
    let mut user_types = Vec::new();
    for (index, user) in spec.users.value.iter().enumerate() {
        if !names.insert(user.name.value.as_str()) || user.name.value.trim().is_empty() {
            return Err(Mistake::new(
                user.name.line,
                format!("`spec.users[{index}].name` is `{}`, expected a name of its own", user.name.value),
                "results tell kinds of users apart by their names",
            ));
        }
        // All are compiled, so that a mistake is found whatever was selected.
        let compiled = context.user(user, &format!("spec.users[{index}]"), tags)?;
        user_types.extend(compiled.map(Arc::new));
    }
    Ok(Compiled { user_types, request_names: context.requests.names })
}

fn check_tags(spec: &Spec, tags: &[String]) -> Result<(), Mistake> {
    let known: BTreeSet<&String> = spec
        .users
        .value
        .iter()
        .flat_map(|user| user.tags.iter().chain(user.tasks.value.iter().flat_map(|task| &task.tags)))
        .collect();
    match tags.iter().find(|tag| !known.contains(tag)) {
        None => Ok(()),
        Some(tag) if known.is_empty() => Err(Mistake::new(
            None,
            format!("--tags asks for `{tag}`, but nothing has a tag"),
            "leave --tags away, or give tasks `tags: [...]`",
        )),
        Some(tag) => {
            let known: Vec<_> = known.iter().map(|tag| tag.as_str()).collect();
            Err(Mistake::new(
                None,
                format!("--tags asks for `{tag}`, which nothing has"),
                format!("there are {}", known.join(", ")),
            ))
        }
    }
}

impl Context<'_> {
    fn user(
        &mut self,
        user: &UserDocument,
        place: &str,
        tags: &[String],
    ) -> Result<Option<UserType>, Mistake> {
        let weight = weight(user.weight.as_ref(), place)?;
        let wait = Pause::new(&user.wait, &format!("{place}.wait"))?;
        if user.tasks.value.is_empty() {
            return Err(Mistake::new(
                user.tasks.line.or(user.name.line),
                format!("`{place}.tasks` is empty, expected at least one task"),
                "a task has steps: `- steps: [{path: /}]`",
            ));
        }
        let symbols = self.symbols(user)?;
        let on_start = self.steps(&user.on_start, &format!("{place}.onStart"), &symbols)?;
        let on_stop = self.steps(&user.on_stop, &format!("{place}.onStop"), &symbols)?;
        let mut tasks = Vec::new();
        for (index, task) in user.tasks.value.iter().enumerate() {
            let compiled = self.task(task, user.order, &format!("{place}.tasks[{index}]"), &symbols)?;
            let selected =
                tags.is_empty() || tags.iter().any(|tag| task.tags.contains(tag) || user.tags.contains(tag));
            tasks.extend(selected.then_some(compiled));
        }
        let mut initial = vec![None; symbols.count()];
        for (name, value) in &self.spec.variables {
            if let Some(slot) = symbols.get(name) {
                initial[slot] = Some(value.clone());
            }
        }
        Ok((!tasks.is_empty()).then(|| UserType {
            name: user.name.value.clone(),
            weight,
            wait,
            order: user.order,
            cookies: user.cookies,
            initial,
            on_start,
            tasks,
            on_stop,
        }))
    }

    fn task(
        &mut self,
        task: &TaskDocument,
        order: TaskOrder,
        place: &str,
        symbols: &Symbols,
    ) -> Result<Task, Mistake> {
        if let (TaskOrder::Sequence, Some(weight)) = (order, &task.weight) {
            return Err(Mistake::new(
                weight.line,
                format!("`{place}.weight` is given, but `order: sequence` does each task once in turn"),
                "leave the weight away, or choose `order: weighted`",
            ));
        }
        let weight = weight(task.weight.as_ref(), place)?;
        let steps = &task.steps;
        let needs_request = steps.value.iter().any(|step| step.value.path.is_some());
        if !needs_request {
            return Err(Mistake::new(
                steps.line,
                format!("`{place}.steps` has no request, expected at least one step with a `path`"),
                "`- path: /` is the shortest request",
            ));
        }
        Ok(Task { weight, steps: self.steps(&steps.value, &format!("{place}.steps"), symbols)? })
    }

    fn steps(
        &mut self,
        steps: &[Located<StepDocument>],
        place: &str,
        symbols: &Symbols,
    ) -> Result<Vec<Step>, Mistake> {
        steps
            .iter()
            .enumerate()
            .map(|(index, step)| self.step(step, &format!("{place}[{index}]"), symbols))
            .collect()
    }

    fn step(
        &mut self,
        step: &Located<StepDocument>,
        place: &str,
        symbols: &Symbols,
    ) -> Result<Step, Mistake> {
        let fields = &step.value;
        let kinds = [fields.path.is_some(), fields.wait.is_some(), fields.feed.is_some()];
        if kinds.iter().filter(|&&kind| kind).count() != 1 {
            return Err(Mistake::new(
                step.line,
                format!("`{place}` needs exactly one of `path`, `wait` and `feed`"),
                "write a request, a pause and a row of a table as steps of their own",
            ));
        }
        if let Some(path) = &fields.path {
            let request = request::request(step, path, place, symbols, &mut self.requests)?;
            return Ok(Step::Request(Box::new(request)));
        }
        request::refuse_request_fields(step, place)?;
        if let Some(wait) = &fields.wait {
            return Pause::within_task(wait, &format!("{place}.wait")).map(Step::Pause);
        }
        let feed = fields.feed.as_ref().expect("one of three is there, and it is none of the other two");
        let feeder = self.feeder(feed, place)?;
        let slots = feeder
            .columns
            .iter()
            .filter_map(|column| symbols.get(&format!("{}.{column}", feed.value)))
            .collect();
        Ok(Step::Feed { feeder, slots })
    }

    fn feeder(&self, feed: &Located<String>, place: &str) -> Result<Arc<Feeder>, Mistake> {
        self.feeders.get(feed.value.as_str()).map(Arc::clone).ok_or_else(|| {
            let known: Vec<_> = self.feeders.keys().copied().collect();
            let hint = if known.is_empty() {
                "add it below `spec.feeders`".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            Mistake::new(feed.line, format!("`{place}.feed` is `{}`, which is no feeder", feed.value), hint)
        })
    }

    /// All names that this kind of user may come to know.
    fn symbols(&self, user: &UserDocument) -> Result<Symbols, Mistake> {
        let mut symbols = Symbols::default();
        for name in self.spec.variables.keys() {
            symbols.add(name);
        }
        let of_tasks = user.tasks.value.iter().flat_map(|task| &task.steps.value);
        for step in user.on_start.iter().chain(of_tasks).chain(&user.on_stop) {
            for (name, extract) in &step.value.extract {
                check_name(name, &format!("extract.{name}"), extract.line)?;
                symbols.add(name);
            }
            if let Some(feed) = &step.value.feed
                && let Some(feeder) = self.feeders.get(feed.value.as_str())
            {
                for column in &feeder.columns {
                    symbols.add(&format!("{}.{column}", feed.value));
                }
            }
        }
        Ok(symbols)
    }
}
