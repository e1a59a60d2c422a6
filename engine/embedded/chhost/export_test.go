package chhost

// Doors for the tests of the package from outside.
var (
	Inspect = func(sql string, readOnly bool) error {
		who := server
		if readOnly {
			who = reader
		}
		_, err := inspect(sql, who)
		return err
	}
	Tokens = func(sql string) ([]string, error) {
		list, err := tokens(sql)
		st := statement{sql: sql, list: list}
		words := make([]string, len(list))
		for i := range list {
			words[i] = st.raw(i)
		}
		return words, err
	}
	Spans = func(sql string) ([][2]int, error) {
		list, err := tokens(sql)
		spans := make([][2]int, len(list))
		for i, t := range list {
			spans[i] = [2]int{t.start, t.end}
		}
		return spans, err
	}
	InsertText = func(sql string) (infile, data string, ok bool) {
		h, ok := parseInsert(sql)
		if !ok {
			return "", "", false
		}
		return h.infile("/in/1"), sql[h.data:], true
	}
	AnswerFormat = func(sql, fallback string) (format string, streams bool) {
		st, err := inspect(sql, reader)
		if err != nil {
			panic(err)
		}
		req := &request{st: st, format: fallback}
		req.format = req.answerFormat()
		return req.format, req.streams()
	}
	Quote = quote
)
