package export

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"syscall"
	"time"

	"mybeacon/engine/jobs"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

// attempts bounds how often a job is tried, also when the server stops meanwhile;
// maxTries bounds how often making a file may fail.
const (
	attempts = 10
	maxTries = 3
)

func pause(attempt int) time.Duration { return min(time.Duration(attempt)*10*time.Second, time.Minute) }

// jobArgs are the arguments of the kind "export".
type jobArgs struct {
	Export postgres.ExportID `json:"export"`
}

// Kind implements [jobs.Args].
func (jobArgs) Kind() string { return "export" }

// Begin queues an export into a file, with its line in the history and the log.
func (s *Service) Begin(ctx context.Context, r Request) (postgres.Export, error) {
	if s.Jobs == nil {
		return postgres.Export{}, schema.Errorf(schema.Unavailable, "", "this server makes no files")
	}
	o, err := s.check(ctx, r)
	if err != nil {
		return postgres.Export{}, err
	}
	e := o.row(postgres.ExportQueued, false)
	err = s.DB.Write(ctx, o.scope, func(tx postgres.Tx) error {
		if err := s.room(ctx, tx, o.Organisation); err != nil {
			return err
		}
		if err := postgres.InsertExport(ctx, tx, e); err != nil {
			return err
		}
		tx.Record(o.entry(e.ID))
		_, err := s.Jobs.Insert(ctx, tx, jobArgs{e.ID})
		return err
	})
	if err != nil {
		return e, err
	}
	return s.DB.Export(ctx, o.scope, e.ID)
}

// room refuses what the organisation has no place for.
func (s *Service) room(ctx context.Context, tx postgres.Tx, organisation schema.OrganisationID) error {
	use, err := postgres.LockExportUse(ctx, tx, organisation)
	switch {
	case err != nil:
		return err
	case use.Open >= s.Limits.Open:
		return schema.Errorf(schema.Conflict, "", "%d exports of the organisation are being made already: wait for one, or cancel one", use.Open)
	case use.Bytes >= s.Limits.Bytes:
		return s.full()
	}
	return nil
}

func (s *Service) full() error {
	return schema.Errorf(schema.TooLarge, "", "the files of the organisation's exports take the %d MiB that they may: delete some, or narrow the filters", s.Limits.Bytes>>20)
}

// do makes one attempt at a file. It is tried again after what may pass, such as a
// warehouse that is away; what will not pass ends in the history with its reason.
func (s *Service) do(ctx context.Context, args jobArgs, try jobs.Try) error {
	claim := schema.NewID[postgres.ExportID]()
	e, ok, err := s.DB.ClaimExport(ctx, args.Export, claim, s.Limits.Lost)
	if err != nil || !ok {
		return err
	}
	inner, stop := s.watch(ctx, e, claim)
	defer stop()
	part, result, err := s.make(inner, e, claim)
	if part != nil {
		defer s.files.drop(part)
	}
	if err != nil && inner.Err() != nil {
		err = context.Cause(inner) // says more than what others made of it
	}
	stop()
	// From here on the export is settled, although the server stops.
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err == nil {
		return s.finish(settling, e, claim, part, result)
	}
	return s.failed(settling, e, claim, failure{err, result, try.Last, ctx.Err() != nil})
}

// make writes the file with the rights that its maker has now.
func (s *Service) make(ctx context.Context, e postgres.Export, claim postgres.ExportID) (*os.File, Result, error) {
	o, err := s.again(ctx, &e)
	if err != nil {
		return nil, Result{}, err
	}
	if err := s.DB.BeginExport(ctx, claim, e); err != nil {
		return nil, Result{}, err
	}
	use, err := s.DB.ExportUse(ctx, e.Organisation)
	if err != nil {
		return nil, Result{}, err
	}
	part, err := s.files.part(e, claim)
	if err != nil {
		return nil, Result{}, err
	}
	source, err := o.dataset.Open(ctx, o.scope, o.Filters)
	if err != nil {
		return part, Result{}, err
	}
	p := progressOf(ctx)
	rows := &watched{Rows: source, ctx: ctx, progress: p}
	defer func() { _ = rows.Close() }()
	result, err := Write(&counted{&bounded{part, s.Limits.Bytes - use.Bytes, s.full()}, p}, o.Format, o.head(), rows)
	return part, result, err
}

// again looks at the order as if it came now, from whoever made it.
func (s *Service) again(ctx context.Context, e *postgres.Export) (order, error) {
	by, err := s.DB.IdentityOf(ctx, e.Account, e.Key)
	if schema.KindOf(err) == schema.NotFound {
		return order{}, schema.Errorf(schema.Forbidden, "", "who asked for the export may nothing any more: the account or key was deleted, disabled or has expired")
	}
	if err != nil {
		return order{}, err
	}
	o, err := s.check(ctx, Request{By: by, Organisation: e.Organisation, Dataset: e.Dataset, Format: Format(e.Format), Language: e.Language, Filters: url.Values(e.Filters)})
	if err != nil {
		return o, err
	}
	holds(e, by.Rights)
	if e.Expected = -1; o.dataset.Count != nil {
		e.Expected, err = o.dataset.Count(ctx, o.scope, o.Filters)
	}
	return o, err
}

// finish gives the file its name and notes that it is there.
func (s *Service) finish(ctx context.Context, e postgres.Export, claim postgres.ExportID, part *os.File, r Result) error {
	if err := s.files.keep(e, part); err != nil {
		return s.failed(ctx, e, claim, failure{err: err, result: r})
	}
	e.State, e.Rows, e.Bytes, e.SHA256, e.ExpiresAt = postgres.ExportDone, r.Rows, r.Bytes, r.SHA256, s.Clock().Add(s.Limits.Keep)
	held, err := s.DB.EndExport(ctx, claim, e)
	if err == nil && !held {
		return s.files.remove(e) // cancelled at the last moment
	}
	return err
}

// failure is how an attempt ended.
type failure struct {
	err      error
	result   Result
	last     bool // the job is not tried again
	stopping bool // the server stops
}

// failed queues the export again, or ends it with a reason.
func (s *Service) failed(ctx context.Context, e postgres.Export, claim postgres.ExportID, f failure) error {
	if errors.Is(f.err, errTaken) {
		return nil
	}
	why, final := reason(f.err)
	if !f.last && (f.stopping || !final && e.Attempts < maxTries) {
		return errors.Join(f.err, s.DB.ReleaseExport(ctx, e.ID, claim))
	}
	s.Log.WarnContext(ctx, "an export failed", "export", e.ID, "dataset", e.Dataset, "error", f.err)
	e.State, e.Rows, e.Error = postgres.ExportFailed, f.result.Rows, why
	if _, err := s.DB.EndExport(ctx, claim, e); err != nil {
		return err
	}
	return jobs.Stop(f.err)
}

// reason returns what people are told, and whether trying again is useless.
func reason(err error) (why string, final bool) {
	var known *schema.Error
	switch {
	case errors.Is(err, errSlow):
		return "it took longer than an export may: narrow the filters, such as to a shorter time", true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the server's disk is full: tell who runs it", true
	case errors.As(err, &known) && known.Kind == schema.Unavailable:
		return known.Error(), false
	case errors.As(err, &known) && known.Kind != schema.Internal:
		return (&schema.Error{Field: known.Field, Message: known.Message}).Error(), true
	}
	return "an internal error; it was logged", false
}

// bounded takes so many bytes and then no more.
type bounded struct {
	io.Writer
	left int64
	full error
}

// Write implements [io.Writer].
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, b.full
	}
	return b.Writer.Write(p)
}
