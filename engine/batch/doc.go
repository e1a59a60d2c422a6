// Package batch collects facts into Arrow records and hands them to the
// warehouse: by size or by age, in order, and until it has them.
//
// # Contract
//
//   - [Batch.Add] is safe for concurrent use, copies what it is given into
//     columns and never waits for the warehouse. It refuses with
//     [schema.Unavailable] when [Config.MaxRows] rows are waiting: callers bound
//     what they have on its way well below that.
//   - All rows of one item are in one batch, and a batch is one insert: a frame
//     is stored whole or not at all.
//   - One goroutine inserts, oldest batch first. While it is busy the next batch
//     grows, so that a slow warehouse gets larger inserts and not more of them.
//   - An insert that failed may have happened. The same record is sent again,
//     with the same de-duplication token and before anything newer, until it is
//     stored or the batch is stopped. Waits between attempts grow to
//     [Config.MaxBackoff].
//   - With a [Spool], a batch that the warehouse has not taken [Config.Patience]
//     after its first row came is kept there instead, and while the warehouse is
//     away it is not asked at all. One that waited that long behind others is kept
//     too: the queue is short whatever the warehouse does. When neither takes it,
//     both are asked again, and [Batch.Stalled] says why until one of them does.
//   - The done function of an item is called exactly once, on the inserting
//     goroutine, after its rows are stored or kept, or with an error when stopping gave
//     them up. It must not block.
//   - Records are released here, exactly once; a sink only reads them.
package batch
