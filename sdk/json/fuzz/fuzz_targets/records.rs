//! Whatever the bytes are: read as lines and as a document, in one piece and in many, they mean what serde_json says.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = meterhost_json::trial::agree(bytes) {
        panic!("{difference}");
    }
});
