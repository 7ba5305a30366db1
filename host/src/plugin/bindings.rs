//! What version 0.1 of the contract generates. Only `v0_1` and `imports` look in here; the pipeline uses the host's own types.
#![allow(missing_docs, clippy::all, clippy::restriction, reason = "generated code; the documentation is in wit/")]

/// The imports of all worlds, and the types that they share.
pub mod imports {
    wasmtime::component::bindgen!({
        inline: r#"
            package meterhost:host;
            world imports {
                import meterhost:plugin/types@0.1.0;
                import meterhost:plugin/about@0.1.0;
                import meterhost:plugin/log@0.1.0;
                import meterhost:plugin/objects@0.1.0;
                import meterhost:plugin/http@0.1.0;
                import meterhost:plugin/aws@0.1.0;
            }
        "#,
        path: "../wit",
        world: "meterhost:host/imports",
        imports: { default: async },
        with: {
            "meterhost:plugin/objects.listing": crate::broker::Listing,
            "meterhost:plugin/objects.body": crate::broker::Body,
            "meterhost:plugin/objects.upload": crate::broker::Upload,
        },
    });
    pub use self::meterhost::plugin::{about, aws, http, log, objects, types};
}

/// The world of sources.
pub mod source {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "meterhost:plugin/source-plugin",
        imports: { default: async },
        exports: { default: async },
        with: {
            "meterhost:plugin/types": crate::plugin::bindings::imports::types,
            "meterhost:plugin/about": crate::plugin::bindings::imports::about,
            "meterhost:plugin/log": crate::plugin::bindings::imports::log,
            "meterhost:plugin/objects": crate::plugin::bindings::imports::objects,
            "meterhost:plugin/http": crate::plugin::bindings::imports::http,
            "meterhost:plugin/aws": crate::plugin::bindings::imports::aws,
        },
    });
    pub use exports::meterhost::plugin::source;
}

/// The world of aggregators.
pub mod aggregator {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "meterhost:plugin/aggregator-plugin",
        imports: { default: async },
        exports: { default: async },
        with: {
            "meterhost:plugin/types": crate::plugin::bindings::imports::types,
            "meterhost:plugin/about": crate::plugin::bindings::imports::about,
            "meterhost:plugin/log": crate::plugin::bindings::imports::log,
        },
    });
    pub use exports::meterhost::plugin::aggregator;
}

/// The world of sinks.
pub mod sink {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "meterhost:plugin/sink-plugin",
        imports: { default: async },
        exports: { default: async },
        with: {
            "meterhost:plugin/types": crate::plugin::bindings::imports::types,
            "meterhost:plugin/about": crate::plugin::bindings::imports::about,
            "meterhost:plugin/log": crate::plugin::bindings::imports::log,
            "meterhost:plugin/objects": crate::plugin::bindings::imports::objects,
            "meterhost:plugin/http": crate::plugin::bindings::imports::http,
            "meterhost:plugin/aws": crate::plugin::bindings::imports::aws,
        },
    });
    pub use exports::meterhost::plugin::sink;
}

/// The world of sinks that publish sets.
pub mod snapshot {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "meterhost:plugin/snapshot-sink-plugin",
        imports: { default: async },
        exports: { default: async },
        with: {
            "meterhost:plugin/types": crate::plugin::bindings::imports::types,
            "meterhost:plugin/about": crate::plugin::bindings::imports::about,
            "meterhost:plugin/log": crate::plugin::bindings::imports::log,
            "meterhost:plugin/objects": crate::plugin::bindings::imports::objects,
            "meterhost:plugin/http": crate::plugin::bindings::imports::http,
            "meterhost:plugin/aws": crate::plugin::bindings::imports::aws,
        },
    });
    pub use exports::meterhost::plugin::snapshot_sink;
}
