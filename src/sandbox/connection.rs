//! The life of one connection: request after request, until either side ends it.

use super::answer::{Answer, Connection};
use super::head::Head;
use super::route::{Route, wrong_method};
use super::script::Script;
use super::wire::{Next, Wire, WireError};
use super::world::World;
use super::{api_call, control};

/// Serves a connection to its end.
pub(super) async fn serve(mut wire: Wire, world: &World) {
    let Err(error) = serve_requests(&mut wire, world).await else {
        return;
    };
    let refused = match error.answer() {
        Some(answer) => wire.refuse(&answer).await,
        None => Err(error),
    };
    if let Err(error) = refused {
        tracing::debug!(%error, "A client of the sandbox left early.");
    }
}

async fn serve_requests(wire: &mut Wire, world: &World) -> Result<(), WireError> {
    while let Some(head) = wire.read_head().await? {
        let next = match Route::of(&head) {
            Route::Api(target) => api_call::serve(wire, world, &head, target).await?,
            route => serve_control(wire, world, &head, route).await?,
        };
        if next == Next::Nothing {
            return Ok(());
        }
    }
    Ok(())
}

async fn serve_control(wire: &mut Wire, world: &World, head: &Head, route: Route) -> Result<Next, WireError> {
    let connection =
        if head.keep_alive && head.method != "HEAD" { Connection::Keep } else { Connection::Close };
    let body = wire.read_body(head).await?;
    let mut answer = match route {
        Route::Help => control::help(),
        Route::Stats => control::stats(world),
        Route::Reset => control::reset(world),
        Route::ReadFaults => control::read_faults(world),
        Route::ReplaceFaults => control::replace_faults(world, &body),
        Route::WrongMethod(allowed) => wrong_method(allowed),
        Route::Nowhere | Route::Api(_) => Answer::refusal(404),
        Route::Ledger => {
            control::stream_ledger(wire, world, head, connection).await?;
            return wire.play(Script::written_already(connection)).await;
        }
    };
    if head.method == "HEAD" {
        answer.body.clear();
    }
    wire.play(Script::answer(&answer, connection)).await
}
