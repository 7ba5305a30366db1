//! The words of metering as types, shared by everything that stands after the configuration.

pub mod charge;
pub mod charged;
pub mod lines;
pub mod outcome;
pub mod publish;
pub mod reading;
pub mod service;
pub mod usage;
pub mod window;
