package wire

import "iter"

// The functions here walk JSON that json.Valid has passed, and give subslices of
// it. A json.Decoder would hold the largest value once more, and a slice of
// json.RawMessage would cost thirty bytes for every two of "[0,0,0,…]".

// tooDeep reports whether arrays and objects nest deeper than limit. It needs no
// valid input: it runs first, since a validator spends its stack on depth.
func tooDeep(b []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// trim returns b without leading white space.
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

// stringEnd returns the length of the string literal that b begins with.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// valueEnd returns the length of the value that b begins with.
func valueEnd(b []byte) int {
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		return nestedEnd(b)
	}
	for i, c := range b {
		if c == ',' || c == ']' || c == '}' || isSpace(c) {
			return i
		}
	}
	return len(b)
}

func nestedEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += stringEnd(b[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// skipComma returns what follows a value: the next one, or the closing bracket.
func skipComma(b []byte) []byte {
	b = trim(b)
	if len(b) > 0 && b[0] == ',' {
		b = trim(b[1:])
	}
	return b
}

// elements yields the elements of a valid array.
func elements(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for b = trim(b[1:]); len(b) > 0 && b[0] != ']'; {
			n := valueEnd(b)
			if !yield(b[:n:n]) {
				return
			}
			b = skipComma(b[n:])
		}
	}
}

// members yields the members of a valid object; a key written with escapes is
// yielded as it stands, and so is none of the protocol's.
func members(b []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for b = trim(b[1:]); len(b) > 0 && b[0] == '"'; {
			n := stringEnd(b)
			key := string(b[1 : n-1])
			b = trim(b[n:])
			b = trim(b[1:]) // the colon
			n = valueEnd(b)
			if !yield(key, b[:n:n]) {
				return
			}
			b = skipComma(b[n:])
		}
	}
}
