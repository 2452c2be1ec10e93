//! The modules of one crate as its files declare them, and where a name that they use is defined.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, ItemMod};

use crate::crates::Package;
use crate::references::{self, Import};

/// A module, `["replica", "cpu"]` for `crate::replica::cpu`; the empty one is the crate's root.
pub(crate) type ModulePath = Vec<String>;

/// The modules of a crate that are not for tests alone.
pub(crate) struct ModuleTree {
    modules: BTreeMap<ModulePath, Module>,
}

pub(crate) struct Module {
    /// The module whose file this is in: itself, unless it is written inside another one.
    pub(crate) file: ModulePath,
    /// Names that are imported, each with the path that it stands for, as written.
    imports: BTreeMap<String, Vec<String>>,
    /// Paths that are used, as written: of imports, and in the code.
    pub(crate) paths: Vec<Vec<String>>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Something that is defined in this module.
    Item(ModulePath),
    /// The module itself, as a name space.
    Module(ModulePath),
}

/// More imports than a name is passed on through; ends imports that stand for themselves.
const MAX_HOPS: usize = 20;

impl ModuleTree {
    /// Reads the files of a crate.
    pub(crate) fn of(package: &Package) -> Self {
        Self::of_root(&package.root_file)
    }

    /// Reads the files that this one begins.
    pub(crate) fn of_root(file: &Path) -> Self {
        let mut tree = Self { modules: BTreeMap::new() };
        tree.read_file(file, file.parent().expect("a file lies in a folder"), &Vec::new());
        tree
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = (&ModulePath, &Module)> {
        self.modules.iter()
    }

    /// The module in whose file this one is written.
    pub(crate) fn file_of(&self, module: &ModulePath) -> &ModulePath {
        &self.modules[module].file
    }

    /// `folder` is where the files of its children lie.
    fn read_file(&mut self, file: &Path, folder: &Path, module: &ModulePath) {
        let text =
            std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.read_items(&parsed.items, folder, module, module);
    }

    fn read_items(&mut self, items: &[Item], folder: &Path, file: &ModulePath, module: &ModulePath) {
        let found = references::of(items);
        let mut imports = BTreeMap::new();
        let mut paths = found.paths;
        for Import { name, path } in found.imports {
            paths.push(path.clone());
            imports.insert(name, path);
        }
        self.modules.insert(module.clone(), Module { file: file.clone(), imports, paths });
        for item in items {
            let Item::Mod(child) = item else { continue };
            if is_for_tests(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let mut path = module.clone();
            path.push(name.clone());
            match &child.content {
                Some((_, items)) => self.read_items(items, &folder.join(&name), file, &path),
                None => self.read_file(&file_of(child, folder), &folder.join(&name), &path),
            }
        }
    }

    /// What a path that is written in `module` leads to; `None` outside the crate.
    pub(crate) fn resolve(&self, module: &ModulePath, path: &[String]) -> Option<Target> {
        self.resolve_within(module, path, MAX_HOPS)
    }

    fn resolve_within(&self, module: &ModulePath, path: &[String], hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => parent(module)?,
            name => {
                if let Some(child) = self.child(module, name) {
                    child
                } else {
                    let import = self.modules[module].imports.get(name)?;
                    return self.resolve_within(module, &joined(import, rest), hops);
                }
            }
        };
        while let Some((name, after)) = rest.split_first() {
            if name == "super" {
                at = parent(&at)?;
            } else if let Some(child) = self.child(&at, name) {
                at = child;
            } else if let Some(import) = self.modules.get(&at)?.imports.get(name) {
                return self.resolve_within(&at, &joined(import, after), hops);
            } else {
                return Some(Target::Item(at));
            }
            rest = after;
        }
        Some(Target::Module(at))
    }

    fn child(&self, module: &ModulePath, name: &str) -> Option<ModulePath> {
        let mut child = module.clone();
        child.push(name.to_owned());
        self.modules.contains_key(&child).then_some(child)
    }
}

fn parent(module: &ModulePath) -> Option<ModulePath> {
    module.split_last().map(|(_, parent)| parent.to_vec())
}

fn joined(import: &[String], rest: &[String]) -> Vec<String> {
    import.iter().chain(rest).cloned().collect()
}

fn file_of(module: &ItemMod, folder: &Path) -> PathBuf {
    let name = module.ident.to_string();
    let beside = folder.join(format!("{name}.rs"));
    if beside.exists() { beside } else { folder.join(name).join("mod.rs") }
}

/// Whether an item is compiled for tests alone.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let condition = list.tokens.to_string();
                let words: Vec<&str> = condition.split(|c: char| !c.is_alphanumeric()).collect();
                words.contains(&"test") && !words.contains(&"not") && !words.contains(&"any")
            })
    })
}
