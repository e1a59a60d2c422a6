package http

import (
	"errors"

	"mybeacon/schema"
)

// RowProblem returns the text of an error of one row of many that is the caller's to
// mend, "" for none, and any other error as it is: that ends the whole.
func RowProblem(err error) (string, error) {
	var e *schema.Error
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &e) && e.Kind != schema.Internal && e.Kind != schema.Unavailable:
		return (&schema.Error{Field: e.Field, Message: e.Message}).Error(), nil
	}
	return "", err
}
