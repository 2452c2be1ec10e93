//! No two modules of a crate depend on each other, directly or through others.
//!
//! A module depends on the module in which something that it imports or names is defined, whichever way that is passed
//! on. What it takes from its own folder does not count: a module is the front of its folder, and the files there may
//! use what it defines. Modules for tests alone are left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::crates::packages;
use crate::module_tree::{ModulePath, ModuleTree, Target};

/// A circle that may stay: the crate, its modules in the order of the alphabet, and why.
struct Harmless {
    package: &'static str,
    modules: &'static [&'static str],
    reason: &'static str,
}

/// At most three.
const HARMLESS: [Harmless; 2] = [
    Harmless {
        package: "scaler-engine",
        modules: &["decision", "policy", "reason"],
        reason: "a decision has a reason, which may be of a policy, and a policy gives decisions with reasons",
    },
    Harmless {
        package: "scaler-engine",
        modules: &["policy::hpa::per_object", "policy::hpa::per_pod", "policy::hpa::proposal"],
        reason: "one calculation in three files: its two kinds fill in the result that their caller defines",
    },
];

/// From each module to those that it depends on.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn written(module: &ModulePath) -> String {
    if module.is_empty() { "the root".to_owned() } else { module.join("::") }
}

fn arrows(tree: &ModuleTree) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, found) in tree.modules() {
        let from = &found.file;
        for path in &found.paths {
            // What is imported as a name space is used by paths of its own.
            if let Some(Target::Item(target)) = tree.resolve(module, path) {
                let to = tree.file_of(&target);
                if !to.starts_with(from) {
                    arrows.entry(written(from)).or_default().insert(written(to));
                }
            }
        }
    }
    arrows
}

fn reachable(arrows: &Arrows, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(module) = open.pop() {
        for target in arrows.get(module).into_iter().flatten() {
            if reached.insert(target.clone()) {
                open.push(target);
            }
        }
    }
    reached
}

/// Sets of modules that all lead to each other.
fn circles(arrows: &Arrows) -> BTreeSet<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|module| (module, reachable(arrows, module))).collect();
    let leads_back =
        |from: &String, to: &String| reached.get(from).is_some_and(|targets| targets.contains(to));
    reached
        .iter()
        .filter(|(module, targets)| targets.contains(**module))
        .map(|(module, targets)| {
            targets.iter().filter(|target| leads_back(target, module)).cloned().collect()
        })
        .collect()
}

fn described(package: &str, circle: &BTreeSet<String>, arrows: &Arrows) -> String {
    let within = circle.iter().flat_map(|from| {
        arrows[from].intersection(circle).map(move |to| format!("    {from} takes from {to}\n"))
    });
    format!("{package}:\n{}", within.collect::<String>())
}

#[test]
fn no_modules_of_a_crate_form_a_circle_that_is_not_listed() {
    let mut unlisted = String::new();
    let mut found = BTreeSet::new();
    for package in packages() {
        let tree = ModuleTree::of(&package);
        assert!(tree.modules().next().is_some(), "no module of {} was read", package.name);
        let arrows = arrows(&tree);
        for circle in circles(&arrows) {
            let listed = HARMLESS.iter().position(|harmless| {
                harmless.package == package.name
                    && circle.iter().map(String::as_str).eq(harmless.modules.iter().copied())
            });
            let described = described(&package.name, &circle, &arrows);
            match listed {
                Some(number) => {
                    found.insert(number);
                }
                None => unlisted.push_str(&described),
            }
        }
    }
    assert!(
        unlisted.is_empty(),
        "circles of modules:\n{unlisted}hint: move what both sides need into a file of its own, or hand it in"
    );
    for (number, Harmless { package, modules, reason }) in HARMLESS.iter().enumerate() {
        assert!(
            found.contains(&number),
            "{package} has no circle {modules:?} any more ({reason}); hint: take it off the list"
        );
    }
}

/// The finder of circles itself, on a crate whose arrows are known.
#[test]
fn circles_are_found_through_other_modules_passed_on_names_and_macros() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    };
    file("lib.rs", "mod a; mod b; mod c; mod macros; mod room; mod tested; mod apart;");
    // Through c, and through what c passes on from the file in b's folder.
    file("a.rs", "use crate::c::{self, Passed}; fn f(_: Passed) { c::named(); }");
    file("b.rs", "mod inner; pub(crate) use inner::Item; pub(crate) fn front() {}");
    file("b/inner.rs", "use super::front; pub(crate) struct Item; fn f() { front(); crate::a::f(); }");
    file("c.rs", "pub(crate) use crate::b::Item as Passed; pub(crate) fn named() {}");
    file("macros.rs", "fn f() { assert!(matches!(crate::apart::f(), 1)); }");
    file("apart.rs", "impl crate::macros::Trait for X {} mod inline { use super::super::macros; }");
    // The front of a folder and its files are no circle.
    file("room.rs", "mod file; use file::Item; pub(crate) struct Front(Item);");
    file("room/file.rs", "use super::Front; pub(crate) struct Item; fn f(_: Front) {}");
    file(
        "tested.rs",
        "fn f() {} #[cfg(test)] mod tests { use crate::a::f; use crate::apart; } #[cfg(test)] use crate::b;",
    );
    let tree = ModuleTree::of_root(&folder.path().join("lib.rs"));
    let found: Vec<Vec<String>> = circles(&arrows(&tree)).into_iter().map(Vec::from_iter).collect();
    assert_eq!(found, [vec!["a", "b::inner", "c"], vec!["apart", "macros"]]);
}
