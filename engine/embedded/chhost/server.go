package chhost

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"mybeacon/engine/embedded/chdb"
)

// Server answers ClickHouse's HTTP interface from the engine library.
type Server struct {
	log          *slog.Logger
	engine       *engine
	limits       Limits
	inbox        *inbox
	inserts      *slots
	queries      *slots
	reads        *slots
	serverToken  [sha256.Size]byte
	readerToken  [sha256.Size]byte
	analystToken [sha256.Size]byte
	analysts     bool // are let in at all
	http         *http.Server
}

func newServer(cfg Config, l layout, e *engine, log *slog.Logger) *Server {
	s := &Server{
		log: log, engine: e, limits: cfg.Limits,
		inbox:        &inbox{dir: l.inbox(), most: cfg.Limits.InsertBytes},
		inserts:      newSlots(cfg.Limits.Inserts, cfg.Limits.SlotWait),
		queries:      newSlots(cfg.Limits.Queries, cfg.Limits.SlotWait),
		reads:        newSlots(cfg.Limits.Reads, cfg.Limits.SlotWait),
		serverToken:  sha256.Sum256([]byte(cfg.ServerToken)),
		readerToken:  sha256.Sum256([]byte(cfg.ReaderToken)),
		analystToken: sha256.Sum256([]byte(cfg.AnalystToken)), analysts: cfg.AnalystToken != "",
	}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		// Parameters travel in the URL, and with them lists of ids.
		MaxHeaderBytes: 1 << 20,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return s
}

// serve answers requests until ctx ends. Then it stops taking new ones, gives
// those under way the grace time, and kills what is left.
func (s *Server) serve(ctx context.Context, ln net.Listener, grace time.Duration) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.http.Shutdown(soft); err == nil {
		return nil
	}
	s.engine.killAll()
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return s.http.Shutdown(hard)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/ping":
		_, _ = w.Write([]byte("Ok.\n"))
		return
	case r.URL.Path != "/":
		http.Error(w, "There is no handler "+r.URL.Path+" here: send statements to /", http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
		return
	}
	who, err := s.authenticate(r)
	if err != nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="ClickHouse"`)
		writeError(w, err)
		return
	}
	req, err := s.parse(r, who)
	if err == nil {
		err = s.run(w, r, req)
	}
	switch {
	case errors.Is(err, errAborted):
		panic(http.ErrAbortHandler) // cut the connection: the answer is not whole
	case err != nil:
		writeError(w, err)
	}
}

// slots returns which requests this one queues with.
func (s *Server) slots(req *request) *slots {
	switch {
	case req.insert != nil:
		return s.inserts
	case req.who != server:
		return s.reads
	}
	return s.queries
}

// run carries out the statement in a session of its own.
func (s *Server) run(w http.ResponseWriter, r *http.Request, req *request) error {
	if req.hello {
		return s.hello(w, req)
	}
	slot := s.slots(req)
	if err := slot.take(r.Context()); err != nil {
		return err
	}
	defer slot.give()
	sql, cleanUp, err := s.receive(req)
	if err != nil {
		return err
	}
	defer cleanUp()
	sess, err := s.engine.open(r.Context(), req, s.limits)
	if err != nil {
		return err
	}
	defer sess.close()
	if err := classify(sess.conn, req); err != nil {
		return err
	}
	out := newAnswer(w, req, s.limits.WriteStall)
	if req.who == analyst {
		out.discreet = discreet
	}
	statement := chdb.Statement{SQL: sql, Format: req.format, Params: req.params}
	if req.streams() {
		return out.soften(out.stream(r.Context(), sess.conn, statement))
	}
	return out.soften(out.whole(sess.conn, statement))
}

// receive returns the text to run. An INSERT's data is stored first, so that no
// session waits for a slow sender.
func (s *Server) receive(req *request) (sql string, cleanUp func(), err error) {
	if req.insert == nil {
		return req.st.sql, func() {}, nil
	}
	path, remove, err := s.inbox.put(req.data)
	if err != nil {
		return "", nil, err
	}
	return req.insert.infile(path), remove, nil
}

func (s *Server) hello(w http.ResponseWriter, req *request) error {
	b, err := hello(s.engine.version, req.protocol)
	if err != nil {
		return err
	}
	return newAnswer(w, req, s.limits.WriteStall).write(b)
}
