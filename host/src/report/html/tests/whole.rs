//! What a page says.

use super::*;

#[test]
fn writes_a_sample() {
    if let Some(to) = std::env::var_os("PG_SAMPLE") {
        std::fs::write(to, sample().render_html()).unwrap();
    }
}
