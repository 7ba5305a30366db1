//! The macros that turn a type into a component's exports. On other targets than wasm32 they expand to nothing but a
//! check that the type implements the trait: exported names hold `:` and `/`, which native linkers refuse.

/// Makes a [`Source`](crate::Source) the source that this component is.
#[macro_export]
macro_rules! export_source {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Adapter = $crate::adapter::SourceAdapter<$plugin>;
    $crate::bindings::source::export_source_world!(Adapter with_types_in $crate::bindings::source);
        };
        const _: fn() = || {
            fn implements<P: $crate::Source>() {}
            implements::<$plugin>();
        };
    };
}

/// Makes an [`Aggregator`](crate::Aggregator) the aggregator that this component is.
#[macro_export]
macro_rules! export_aggregator {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Adapter = $crate::adapter::AggregatorAdapter<$plugin>;
    $crate::bindings::aggregator::export_aggregator_world!(Adapter with_types_in $crate::bindings::aggregator);
        };
        const _: fn() = || {
            fn implements<P: $crate::Aggregator>() {}
            implements::<$plugin>();
        };
    };
}

/// Makes a [`Sink`](crate::Sink) the sink that this component is.
#[macro_export]
macro_rules! export_sink {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Adapter = $crate::adapter::SinkAdapter<$plugin>;
    $crate::bindings::sink::export_sink_world!(Adapter with_types_in $crate::bindings::sink);
        };
        const _: fn() = || {
            fn implements<P: $crate::Sink>() {}
            implements::<$plugin>();
        };
    };
}

/// Makes a [`SnapshotSink`](crate::SnapshotSink) the sink that this component is.
#[macro_export]
macro_rules! export_snapshot_sink {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Adapter = $crate::adapter::SnapshotAdapter<$plugin>;
    $crate::bindings::snapshot::export_snapshot_world!(Adapter with_types_in $crate::bindings::snapshot);
        };
        const _: fn() = || {
            fn implements<P: $crate::SnapshotSink>() {}
            implements::<$plugin>();
        };
    };
}
