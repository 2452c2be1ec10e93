//! What keeps the repository's structure: no circle of modules, no arrow up between crates, no long file.

mod circles;
mod crates;
mod module_tree;
mod references;
mod size;
