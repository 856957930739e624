//! dispatch
mod backoff;
mod breaker;
mod fair_queue;
mod pace;
