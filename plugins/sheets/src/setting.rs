//! The path of a column's setting.

/// The path of what is configured of a column, as the pipeline file writes it: `columns.BilledCost`, `columns."cost/cost"`.
pub fn setting(column: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !column.is_empty() && column.bytes().all(is_bare) {
        return format!("columns.{column}");
    }
    format!("columns.\"{}\"", column.escape_debug())
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
