package audit

import (
	"encoding/json"
	"strconv"
)

// Changes collects the fields of an entry whose values differ.
type Changes []Field

// Text adds the field if it changed.
func (c *Changes) Text(name, old, now string) { c.add(Field{Name: name, Old: old, New: now}) }

// Personal adds the field if it changed, as a value that names or reaches a person.
func (c *Changes) Personal(name, old, now string) {
	c.add(Field{Name: name, Old: old, New: now, Personal: true})
}

// Number adds the field if it changed.
func (c *Changes) Number(name string, old, now float64) {
	c.Text(name, strconv.FormatFloat(old, 'f', -1, 64), strconv.FormatFloat(now, 'f', -1, 64))
}

// Flag adds the field if it changed.
func (c *Changes) Flag(name string, old, now bool) {
	c.Text(name, strconv.FormatBool(old), strconv.FormatBool(now))
}

// JSON adds the field if it changed, as JSON: for outlines and lists.
func (c *Changes) JSON(name string, old, now any) { c.Text(name, jsonOf(old), jsonOf(now)) }

func (c *Changes) add(f Field) {
	if f.Old != f.New {
		*c = append(*c, f)
	}
}

// Made returns a field that has a value now and had none.
func Made(name, now string) Field { return Field{Name: name, New: now} }

// Gone returns a field that had a value and has none.
func Gone(name, old string) Field { return Field{Name: name, Old: old} }

// Of returns a field that says what the object belongs to; it did not change.
func Of(name, value string) Field { return Field{Name: name, Old: value, New: value} }

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: what was stored as JSON is none: " + err.Error())
	}
	return string(text)
}
