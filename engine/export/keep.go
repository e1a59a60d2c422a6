package export

import (
	"context"
	"io"
	"time"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// File is the file of a finished export, to be read and closed.
type File interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// Open opens the file of an export for a principal, and writes into the log that he
// took it. What is not his to see, or has no file, is NotFound.
func (s *Service) Open(ctx context.Context, p access.Principal, scope postgres.Scope, id postgres.ExportID) (File, postgres.Export, error) {
	e, err := s.DB.Export(ctx, scope, id)
	if err != nil {
		return nil, e, err
	}
	if err := s.mayTake(p, e); err != nil {
		return nil, e, err
	}
	f, err := s.files.open(e)
	if err != nil {
		return nil, e, err
	}
	taken := audit.Entry{Organisation: e.Organisation, Action: audit.Export, Object: audit.Object{Kind: "export", ID: e.ID.String(), Name: s.titleOf(e)},
		Fields: []audit.Field{audit.Made("file", e.ID.String()+"."+e.Format), audit.Made("sha256", e.SHA256)}}
	if err := s.DB.Append(ctx, postgres.In(e.Organisation), taken); err != nil {
		_ = f.Close() // it was only opened
		return nil, e, err
	}
	return f, e, nil
}

// mayTake asks about the rows that the file holds as if they were asked for now.
func (s *Service) mayTake(p access.Principal, e postgres.Export) error {
	d, err := s.Catalogue.Find(e.Dataset)
	if err != nil { // of a product that is no more
		return schema.Errorf(schema.NotFound, "", "there is no such object")
	}
	if _, err := scopeOf(p, e.Organisation, d); err != nil {
		return err
	}
	switch {
	case e.Direct:
		return schema.Errorf(schema.NotFound, "", "it was streamed to who asked for it: there is no file")
	case e.State == postgres.ExportDone && s.Clock().Before(e.ExpiresAt):
		return nil
	case e.State == postgres.ExportQueued || e.State == postgres.ExportRunning:
		return schema.Errorf(schema.Conflict, "", "the export is not finished: wait for its state to be done")
	}
	return schema.Errorf(schema.NotFound, "", "the file has gone, files are kept for %d days; export again", int(s.Limits.Keep.Hours()/24))
}

func (s *Service) titleOf(e postgres.Export) string {
	if d, err := s.Catalogue.Find(e.Dataset); err == nil {
		return d.title()
	}
	return e.Dataset
}

// mayRemove refuses who may export but leave others' files alone: asking for one's own
// is no change, taking away is.
func mayRemove(by postgres.Identity, e postgres.Export) error {
	p := by.Rights
	switch {
	case p.ReadOnly:
		return schema.Errorf(schema.Forbidden, "", "your account may look but not change; ask an Owner")
	case p.SuperAdmin && (!p.Acting || p.Organisation != e.Organisation):
		return schema.Errorf(schema.Forbidden, "", "switch into the organisation first, with a reason: PUT /api/v1/auth/acting")
	case p.Key && !by.Key.IsZero() && by.Key == e.Key:
		return nil
	case !p.Key && (by.ID == e.Account || p.SuperAdmin || p.Role == access.Owner || p.Role == access.Admin):
		return nil
	}
	return schema.Errorf(schema.Forbidden, "", "somebody else asked for this export; ask him, an Owner or an Admin")
}

// Delete cancels an export that is being made, and removes the file of one that is
// done. Its line in the history stays. Others' exports are an Owner's and an Admin's
// to remove.
func (s *Service) Delete(ctx context.Context, by postgres.Identity, scope postgres.Scope, id postgres.ExportID) error {
	var e postgres.Export
	err := s.DB.Write(ctx, scope, func(tx postgres.Tx) error {
		var err error
		if e, err = postgres.LockExport(ctx, tx, scope, id); err != nil {
			return err
		}
		if err := mayRemove(by, e); err != nil {
			return err
		}
		state := postgres.ExportDeleted
		switch {
		case e.State == postgres.ExportQueued || e.State == postgres.ExportRunning && !e.Direct:
			state = postgres.ExportCancelled
		case e.State == postgres.ExportRunning:
			return schema.Errorf(schema.Conflict, "", "a stream ends with its reader: it cannot be cancelled here")
		case e.State != postgres.ExportDone || e.Direct:
			tx.Unrecorded("there is nothing to remove")
			return nil
		}
		tx.Record(audit.Entry{Organisation: e.Organisation, Action: audit.Delete, Object: audit.Object{Kind: "export", ID: id.String(), Name: s.titleOf(e)},
			Fields: []audit.Field{{Name: "state", Old: e.State, New: state}}})
		return postgres.SetExportState(ctx, tx, id, state)
	})
	if err != nil {
		return err
	}
	return s.files.remove(e)
}

// How often what has had its time is looked for.
const (
	recoverEvery = 10 * time.Second
	sweepEvery   = 10 * time.Minute
)

// Run looks after exports whose process died and files that have had their time, until
// the context ends. Several processes may do so at once.
func (s *Service) Run(ctx context.Context) error {
	again, sweep := time.NewTicker(recoverEvery), time.NewTicker(sweepEvery)
	defer again.Stop()
	defer sweep.Stop()
	s.try(ctx, "look for lost exports", s.Recover)
	s.try(ctx, "sweep exports", s.Sweep)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
			s.try(ctx, "look for lost exports", s.Recover)
		case <-sweep.C:
			s.try(ctx, "sweep exports", s.Sweep)
		}
	}
}

func (s *Service) try(ctx context.Context, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "exports: cannot "+what+" now, will try again", "error", err)
	}
}

// Recover queues the exports again whose process died while it made them, gives up
// those that this happened to too often, and notes streams that were cut off.
func (s *Service) Recover(ctx context.Context) error {
	if err := s.DB.CutOffExports(ctx, s.Limits.Lost); err != nil || s.Jobs == nil {
		return err
	}
	const most = 100
	return s.DB.Write(ctx, postgres.AllOrganisations(), func(tx postgres.Tx) error {
		tx.Unrecorded("the server goes on with what it was asked for")
		lost, err := postgres.LostExports(ctx, tx, s.Limits.Lost, most)
		if err != nil {
			return err
		}
		for _, e := range lost {
			if err := s.resume(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) resume(ctx context.Context, tx postgres.Tx, e postgres.Export) error {
	if e.Attempts >= maxTries {
		return postgres.FailExport(ctx, tx, e.ID, "the server stopped each time while it was made: narrow the filters, or tell who runs it")
	}
	s.Log.InfoContext(ctx, "an export whose process died is made again", "export", e.ID, "attempt", e.Attempts+1)
	if err := postgres.RequeueExport(ctx, tx, e.ID); err != nil {
		return err
	}
	_, err := s.Jobs.Insert(ctx, tx, jobArgs{e.ID})
	return err
}

// Sweep removes files that have had their time, files that nobody needs, and old lines
// of the history.
func (s *Service) Sweep(ctx context.Context) error {
	const most = 500
	for {
		expired, err := s.DB.ExpireExports(ctx, s.Clock(), most)
		if err != nil {
			return err
		}
		for _, e := range expired {
			if err := s.files.remove(e); err != nil {
				return err
			}
		}
		if len(expired) < most {
			break
		}
	}
	if s.Jobs != nil {
		if err := s.files.sweep(ctx, s.DB, s.Clock()); err != nil {
			return err
		}
	}
	return s.DB.SweepExports(ctx, s.Limits.History)
}
