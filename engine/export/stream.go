package export

import (
	"context"
	"io"

	"mybeacon/engine/store/postgres"
)

// Stream is an export that goes to its reader as it is made. It is for one goroutine.
type Stream struct {
	service *Service
	order   order
	export  postgres.Export
	rows    Rows
}

// Stream begins to read what is asked for, and writes it into the history and the log.
// The context bounds the reading to the end. A Stream must be written or closed.
func (s *Service) Stream(ctx context.Context, r Request) (*Stream, error) {
	o, err := s.check(ctx, r)
	if err != nil {
		return nil, err
	}
	rows, err := o.dataset.Open(ctx, o.scope, r.Filters)
	if err != nil {
		return nil, err
	}
	e := o.row(postgres.ExportRunning, true)
	err = s.DB.Write(ctx, o.scope, func(tx postgres.Tx) error {
		tx.Record(o.entry(e.ID))
		return postgres.InsertExport(ctx, tx, e)
	})
	if err != nil {
		_ = rows.Close() // nobody reads them
		return nil, err
	}
	return &Stream{service: s, order: o, export: e, rows: rows}, nil
}

// ID names the export in the history.
func (st *Stream) ID() postgres.ExportID { return st.export.ID }

// Close ends a stream that is not written.
func (st *Stream) Close(ctx context.Context) error {
	err := st.rows.Close()
	_ = st.service.end(ctx, st.export, Result{}, postgres.ExportCutOff) // beats stop: it will be noted as cut off
	return err
}

// Write writes all rows and notes how many there were: whole, or cut off where the
// reader went away or the rows broke off. What was cut off is an error, and the reader
// must be told by breaking the answer off.
func (st *Stream) Write(ctx context.Context, w io.Writer) error {
	s := st.service
	ctx, stop := s.watch(ctx, st.export, st.export.ID)
	defer stop()
	progress := progressOf(ctx)
	rows := &watched{Rows: st.rows, ctx: ctx, progress: progress}
	defer func() { _ = rows.Close() }()
	result, err := Write(&counted{w, progress}, st.order.Format, st.order.head(), rows)
	state := postgres.ExportDone
	if err != nil {
		state = postgres.ExportCutOff
	}
	stop()
	if noted := s.end(ctx, st.export, result, state); err == nil {
		err = noted
	}
	return err
}

// head are the columns as the format shows them: people read CSV, programs the rest.
func (o order) head() []Column {
	if o.Format == CSV {
		return Headed(o.dataset.Columns, o.Language)
	}
	return o.dataset.Columns
}

// end notes the end of a stream, also when its reader's context has ended.
func (s *Service) end(ctx context.Context, e postgres.Export, r Result, state string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	e.State, e.Rows, e.Bytes, e.SHA256 = state, r.Rows, r.Bytes, r.SHA256
	_, err := s.DB.EndExport(ctx, e.ID, e)
	if err != nil {
		s.Log.WarnContext(ctx, "the end of an export is not noted; it will be taken for cut off", "export", e.ID, "error", err)
	}
	return err
}
