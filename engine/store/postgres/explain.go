package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mybeacon/schema"
)

// Constraints says what to tell the caller when the named constraint is hit.
type Constraints map[string]*schema.Error

// Explain turns a store's error into what the caller may be told: a hit
// constraint into the error listed for it, no row into NotFound, a lost
// connection into Unavailable. What was classified before passes unchanged;
// the rest is wrapped with what was attempted ("insert tag"). nil stays nil.
func Explain(err error, doing string, constraints Constraints) error {
	var known *schema.Error
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, pgx.ErrNoRows):
		return schema.Errorf(schema.NotFound, "", "there is no such object")
	case errors.As(err, &refused):
		if refusal := explainRefusal(refused, constraints); refusal != nil {
			return refusal
		}
		return fmt.Errorf("%s: %w", doing, err)
	case connectionLost(err):
		return &schema.Error{Kind: schema.Unavailable, Message: "the database cannot be reached, try again later", Err: fmt.Errorf("%s: %w", doing, err)}
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// explainRefusal returns nil for what the caller can do nothing about.
func explainRefusal(refused *pgconn.PgError, constraints Constraints) error {
	if known, ok := constraints[refused.ConstraintName]; ok && refused.ConstraintName != "" {
		e := *known
		e.Err = refused
		return &e
	}
	switch {
	case refused.Code[:2] == "57", refused.Code[:2] == "53": // shut down by an operator, out of connections or memory
		return &schema.Error{Kind: schema.Unavailable, Message: "the database is not available, try again later", Err: refused}
	case refused.Code == "40001", refused.Code == "40P01": // serialisation failure, deadlock
		return &schema.Error{Kind: schema.Conflict, Message: "the object was changed at the same time, try again", Err: refused}
	case refused.Code == "22P02", refused.Code == "22003": // not of the type, out of its range
		return &schema.Error{Kind: schema.Invalid, Message: "a value cannot be read", Err: refused}
	case refused.Code == "22021", refused.Code == "22P05": // a zero byte or a broken character in a text
		return &schema.Error{Kind: schema.Invalid, Message: "the text holds characters that cannot be stored", Err: refused}
	}
	return nil
}

func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) && !errors.Is(err, context.Canceled) ||
		errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}
