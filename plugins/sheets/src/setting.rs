//! The path of a setting.

/// The path of what is configured of a column, as the pipeline file writes it: `columns.BilledCost`, `columns."cost/cost"`.
pub fn setting(column: &str) -> String {
    setting_in("columns", column)
}

/// The same of a key of any table: `units.cpu`, `units."a b"`.
pub fn setting_in(table: &str, key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.bytes().all(is_bare) {
        return format!("{table}.{key}");
    }
    format!("{table}.\"{}\"", key.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::setting;

    #[test]
    fn a_column_is_quoted_where_toml_asks_for_it() {
        for (column, path) in [
            ("BilledCost", "columns.BilledCost"),
            ("x_9", "columns.x_9"),
            ("cost/cost", "columns.\"cost/cost\""),
            ("a b", "columns.\"a b\""),
            ("", "columns.\"\""),
            ("a\"\n", "columns.\"a\\\"\\n\""),
        ] {
            assert_eq!(setting(column), path);
        }
    }
}
