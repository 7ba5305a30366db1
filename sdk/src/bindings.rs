//! What the contract in `wit/` generates, a module a world. Nothing outside this crate needs it but the export macros.
#![allow(clippy::all, clippy::restriction, unsafe_code, reason = "generated code")]

/// What every world imports, and the types that they share.
pub mod imports {
    wit_bindgen::generate!({
        inline: r#"
            package meterhost:sdk;
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
        world: "meterhost:sdk/imports",
        runtime_path: "meterhost_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq],
        generate_all,
    });
    pub use meterhost::plugin::{about, aws, http, log, objects, types};
}

/// The world of sources.
pub mod source {
    wit_bindgen::generate!({
        path: "../wit",
        world: "meterhost:plugin/source-plugin",
        runtime_path: "meterhost_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq],
        with: {
            "meterhost:plugin/about@0.1.0": crate::bindings::imports::about,
            "meterhost:plugin/types@0.1.0": crate::bindings::imports::types,
            "meterhost:plugin/log@0.1.0": crate::bindings::imports::log,
            "meterhost:plugin/objects@0.1.0": crate::bindings::imports::objects,
            "meterhost:plugin/http@0.1.0": crate::bindings::imports::http,
            "meterhost:plugin/aws@0.1.0": crate::bindings::imports::aws,
        },
        pub_export_macro: true,
        export_macro_name: "export_source_world",
        default_bindings_module: "meterhost_sdk::bindings::source",
    });
    pub use exports::meterhost::plugin::source;
}

/// The world of aggregators.
pub mod aggregator {
    wit_bindgen::generate!({
        path: "../wit",
        world: "meterhost:plugin/aggregator-plugin",
        runtime_path: "meterhost_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq],
        with: {
            "meterhost:plugin/about@0.1.0": crate::bindings::imports::about,
            "meterhost:plugin/types@0.1.0": crate::bindings::imports::types,
            "meterhost:plugin/log@0.1.0": crate::bindings::imports::log,
        },
        pub_export_macro: true,
        export_macro_name: "export_aggregator_world",
        default_bindings_module: "meterhost_sdk::bindings::aggregator",
    });
    pub use exports::meterhost::plugin::aggregator;
}

/// The world of sinks.
pub mod sink {
    wit_bindgen::generate!({
        path: "../wit",
        world: "meterhost:plugin/sink-plugin",
        runtime_path: "meterhost_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq],
        with: {
            "meterhost:plugin/about@0.1.0": crate::bindings::imports::about,
            "meterhost:plugin/types@0.1.0": crate::bindings::imports::types,
            "meterhost:plugin/log@0.1.0": crate::bindings::imports::log,
            "meterhost:plugin/objects@0.1.0": crate::bindings::imports::objects,
            "meterhost:plugin/http@0.1.0": crate::bindings::imports::http,
            "meterhost:plugin/aws@0.1.0": crate::bindings::imports::aws,
        },
        pub_export_macro: true,
        export_macro_name: "export_sink_world",
        default_bindings_module: "meterhost_sdk::bindings::sink",
    });
    pub use exports::meterhost::plugin::sink;
}

/// The world of sinks that publish sets.
pub mod snapshot {
    wit_bindgen::generate!({
        path: "../wit",
        world: "meterhost:plugin/snapshot-sink-plugin",
        runtime_path: "meterhost_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq],
        with: {
            "meterhost:plugin/about@0.1.0": crate::bindings::imports::about,
            "meterhost:plugin/types@0.1.0": crate::bindings::imports::types,
            "meterhost:plugin/log@0.1.0": crate::bindings::imports::log,
            "meterhost:plugin/objects@0.1.0": crate::bindings::imports::objects,
            "meterhost:plugin/http@0.1.0": crate::bindings::imports::http,
            "meterhost:plugin/aws@0.1.0": crate::bindings::imports::aws,
        },
        pub_export_macro: true,
        export_macro_name: "export_snapshot_world",
        default_bindings_module: "meterhost_sdk::bindings::snapshot",
    });
    pub use exports::meterhost::plugin::snapshot_sink;
}
