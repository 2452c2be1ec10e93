//! The loop in containers, on a real Docker engine: built, started, driven and ended as a user does it.
//!
//! Needs Docker, and root for the images that are made here. Where they are missing the tests say so and pass, unless
//! `LAB_REQUIRE` names `docker`. `LAB_STATIC_BINARY` names the static binary to pack; without it, one is built. With
//! `LAB_TEST_COMPOSE=docker-compose` the same runs with Compose 1.29.

mod bad_input;
mod docker;
mod engine_door;
mod faults;
mod files;
mod ground;
mod hardened;
mod image;
mod loss;
mod playbook;
mod project;
mod scripts;
mod several_services;
mod spike;
mod swarm;
mod tools_image;
