//! The words of metering as types, shared by everything that stands after the configuration.

pub mod window;
