//! The tables, and the way from each format to the next.
//!
//! `user_version` names the format. Steps are only ever added; each one runs in one transaction with the
//! number it leads to, so a crash in the middle leaves the format before.

use rusqlite::{Connection, TransactionBehavior};

/// The steps; the format is how many of them were taken.
const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The latest format.
pub(super) const LATEST: i64 = STEPS.len() as i64;

/// The format of the file.
pub(super) fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether the file holds no table at all.
pub(super) fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

/// Whether the tables are another program's.
pub(super) fn is_of_another_program(connection: &Connection) -> rusqlite::Result<bool> {
    let sql =
        "SELECT count(*) > 0 AND count(*) FILTER (WHERE name IN ('resends', 'facts')) < 2 FROM sqlite_schema";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Brings the file to the latest format.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate_to(connection, STEPS)
}

fn migrate_to(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let taken = usize::try_from(format(connection)?).unwrap_or_default();
    for (number, step) in steps.iter().enumerate().skip(taken) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_is_brought_up_step_by_step_and_keeps_what_it_holds() {
        let first = "CREATE TABLE a (x INTEGER NOT NULL); INSERT INTO a VALUES (7);";
        let second = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 1;";
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to(&mut connection, &[first]).unwrap();

        migrate_to(&mut connection, &[first, second]).unwrap();

        assert_eq!(format(&connection).unwrap(), 2);
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        assert_eq!(connection.query_row("SELECT x, y FROM a", [], row).unwrap(), (7, 1));
    }

    #[test]
    fn a_step_that_fails_leaves_the_format_before() {
        let first = "CREATE TABLE a (x INTEGER NOT NULL);";
        let broken = "CREATE TABLE b (x INTEGER); CREATE TABLE a (x INTEGER);";
        let mut connection = Connection::open_in_memory().unwrap();

        assert!(migrate_to(&mut connection, &[first, broken]).is_err());

        assert_eq!(format(&connection).unwrap(), 1);
        assert!(connection.prepare("SELECT x FROM b").is_err());
    }
}
