//! resends
