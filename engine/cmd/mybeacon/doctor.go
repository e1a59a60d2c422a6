package main

import (
	"encoding/json"
	"fmt"
	"os"

	"mybeacon/engine/doctor"
)

type doctorCmd struct {
	nodeFlags
	HTTP     string `help:"Address of the console, the API and the sockets." default:"127.0.0.1:8080" env:"MYBEACON_HTTP" placeholder:"ADDR"`
	Ops      string `help:"Address of /metrics, or off." default:"127.0.0.1:9090" env:"MYBEACON_OPS" placeholder:"ADDR"`
	BaseURL  string `help:"How people reach the console." env:"MYBEACON_BASE_URL" placeholder:"URL"`
	MailFrom string `help:"Who mails are from; the mail server itself is MYBEACON_SMTP." env:"MYBEACON_MAIL_FROM" placeholder:"ADDRESS"`
	JSON     bool   `help:"Print the findings as one JSON object." name:"json"`
}

// Run implements the command: 0 all is well, 1 something fails, 3 something should be
// better.
func (c *doctorCmd) Run(e *env) error {
	list, err := c.findings(e)
	if err != nil {
		return err
	}
	if err := c.print(e, list); err != nil {
		return err
	}
	switch doctor.Worst(list) {
	case doctor.Fail:
		return &exitError{code: exitFailure}
	case doctor.Warn:
		return &exitError{code: exitPartial}
	}
	return nil
}

func (c *doctorCmd) findings(e *env) ([]doctor.Finding, error) {
	cfg, err := c.config(e)
	if err != nil {
		return nil, err
	}
	cfg.HTTP, cfg.Ops, cfg.BaseURL = c.HTTP, c.Ops, c.BaseURL
	cfg.SMTP, cfg.MailFrom = os.Getenv("MYBEACON_SMTP"), c.MailFrom
	settings := doctor.Finding{Check: "settings", Level: doctor.OK, Found: "they are well-formed"}
	if wrong := cfg.Validate(); wrong != nil {
		settings = doctor.Finding{Check: "settings", Level: doctor.Fail, Found: wrong.Error(), Advice: "correct the setting: the server refuses to start with it"}
		return []doctor.Finding{settings}, nil
	}
	sender, err := cfg.Sender(nil)
	if err != nil {
		return nil, err
	}
	return append([]doctor.Finding{settings}, doctor.Examine(e.ctx, doctor.Config{
		Data: cfg.Data, Runtime: cfg.Runtime, Executable: cfg.Executable, PostgresURL: cfg.PostgresURL, PostgresOwnerURL: cfg.PostgresOwnerURL,
		ClickHouseURL: cfg.ClickHouseURL, HTTP: cfg.HTTP, Ops: cfg.Ops, BaseURL: cfg.BaseURL, Mail: sender, Log: warnings(e.log),
	})...), nil
}

func (c *doctorCmd) print(e *env, list []doctor.Finding) error {
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(struct {
			Result   doctor.Level     `json:"result"`
			Findings []doctor.Finding `json:"findings"`
		}{doctor.Worst(list), list})
	}
	for _, f := range list {
		if _, err := fmt.Fprintf(e.stdout, "%-4s  %s: %s\n", f.Level, f.Check, f.Found); err != nil {
			return err
		}
		if f.Advice != "" {
			fmt.Fprintf(e.stdout, "      -> %s\n", f.Advice)
		}
	}
	return nil
}
