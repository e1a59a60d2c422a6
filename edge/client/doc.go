// Package client is the uplink of a scanner: it carries frames to the engine
// over one WebSocket, keeps them until the engine has stored them, and sends
// them again after every break. Simulator and replay use it too.
//
// # Contract
//
//   - Frames are sent in the order of [Client.Send]. After a reconnect all
//     unacknowledged ones are sent again, oldest first: the engine recognises
//     what it has by (boot_id, seq).
//
//   - Memory is bounded by [Config.MaxFrames] and [Config.MaxBytes]: Send waits
//     for room and never drops. Who cannot wait gives Send a context that ends,
//     and decides by its own policy what to drop ([Client.Drop] makes room and
//     tells the engine, which counts it).
//
//   - What is on its way is bounded by the credit the engine granted last. While
//     the engine stores nothing it grants as good as no bound: frames are sent
//     once, for the live maps, and held. Then it closes the connection, and they
//     are sent again.
//
//   - A frame leaves when it is acknowledged: stored, or finally refused.
//     [Config.OnRejected] hears of the refusals.
//
//   - Reconnects back off exponentially with full jitter, so that a restart of
//     the engine is not followed by all scanners at once. A refused token is
//     retried at the slowest rate, since an administrator may mend it; Send and
//     Flush fail with [schema.Unauthorized] meanwhile.
//
//   - A device with a key logs in before each connection ([KeyLogin]). What it is to
//     do comes to [Config.OnConfig], and [Client.Report] says how it is and which
//     configuration it runs.
//
// All methods are safe for concurrent use. Callbacks run on the connection's
// goroutine, must not block and must not call Send, Flush or Close. Frames are
// held in memory only: surviving a crash is the spool's work.
package client
