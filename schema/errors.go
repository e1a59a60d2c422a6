package schema

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an [Error] is. The HTTP status, the metric's
// label and the decision to log are all derived from it, in one place each.
type Kind uint8

// The kinds of failure. Internal is the zero value: an error nobody classified
// is ours, not the caller's.
const (
	Internal     Kind = iota
	Invalid           // the input is wrong; the message names the field and the fix
	NotFound          // there is no such object for this caller, or it is another organisation's
	Conflict          // the object changed or exists already
	Unauthorized      // who the caller is was not proven
	Forbidden         // the caller is known and may not
	TooLarge          // a stated bound was exceeded
	TooMany           // a rate or quota was exceeded; try again later
	Unavailable       // a dependency is away; try again later
)

var kindNames = [...]string{"internal", "invalid", "not_found", "conflict", "unauthorized", "forbidden", "too_large", "too_many", "unavailable"}

// String returns the kind's lower-case name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Error is a failure that may be shown to the caller. Field names the input
// that is wrong ("frames[3].seq"), or is empty; Message says what is wrong with
// it and what would be right; Err, if any, is the cause and is never shown.
type Error struct {
	Kind    Kind
	Field   string
	Message string
	Err     error
}

// Error implements error.
func (e *Error) Error() string {
	msg := e.Message
	if e.Field != "" {
		msg = e.Field + ": " + msg
	}
	if e.Err != nil {
		msg = fmt.Sprintf("%s: %v", msg, e.Err)
	}
	return msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an [Error] of the kind about the field.
func Errorf(kind Kind, field, format string, args ...any) *Error {
	return &Error{Kind: kind, Field: field, Message: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the first [Error] in err's chain, or [Internal].
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
