package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"mybeacon/engine/access"
	"mybeacon/engine/audit"
	"mybeacon/engine/node"
	"mybeacon/engine/store/postgres"
	"mybeacon/schema"
)

type userCmd struct {
	Create        userCreateCmd `cmd:"" help:"Create an account with a password."`
	ResetPassword userResetCmd  `cmd:"" name:"reset-password" help:"Set a new password; all sessions of the account end."`
	List          userListCmd   `cmd:"" help:"List accounts by e-mail."`
}

// passwordFlags say where a new password comes from: never from the arguments, which
// others on the machine can read.
type passwordFlags struct {
	PasswordStdin bool `help:"Read the password from the first line of the standard input; else one is made up and printed."`
	JSON          bool `help:"Print the result as JSON." name:"json"`
}

// maxLine bounds what is read of the standard input.
const maxLine = 4096

// password returns the password, and what to print of it.
func (f passwordFlags) password() (password, shown string, err error) {
	if !f.PasswordStdin {
		made := rand.Text()
		return made, made, nil
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, maxLine)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), "", nil
}

// told is what --json prints of a new password.
type told struct {
	ID       schema.UserID `json:"id"`
	Email    string        `json:"email"`
	Password string        `json:"password,omitempty"` // a made-up one
}

func (f passwordFlags) tell(e *env, what string, t told) error {
	if f.JSON {
		return json.NewEncoder(e.stdout).Encode(t)
	}
	fmt.Fprintf(e.stdout, "%s %s\n", what, plain(t.Email))
	if t.Password != "" {
		fmt.Fprintf(e.stdout, "password: %s\n", t.Password)
	}
	return nil
}

// atConsole is who the audit log names.
func atConsole(ctx context.Context) context.Context {
	return audit.By(ctx, audit.Actor{Key: "command line"})
}

type userCreateCmd struct {
	relationalFlags
	passwordFlags
	Email        string `arg:"" help:"E-mail to log in with."`
	Name         string `help:"Name of the person." placeholder:"NAME"`
	SuperAdmin   bool   `help:"Of no organisation, and over all." xor:"whose" required:""`
	Organisation string `help:"Name of the organisation." placeholder:"NAME" xor:"whose" required:""`
	Role         string `help:"Role in the organisation: ${enum}." enum:"owner,admin,manager,operator,viewer" default:"owner"`
	Language     string `help:"Language of mails: ${enum}." enum:"ru,en" default:"ru"`
}

// Run implements the command.
func (c *userCreateCmd) Run(e *env) error {
	password, shown, err := c.password()
	if err != nil {
		return err
	}
	hash, err := node.HashPassword(e.ctx, c.Email, password)
	if err != nil {
		return err
	}
	p := postgres.Person{
		ID: schema.NewID[schema.UserID](), Email: c.Email, Name: c.Name, Language: c.Language, SuperAdmin: c.SuperAdmin,
		Role: c.Role, ConfirmedAt: time.Now(),
	}
	if c.SuperAdmin {
		p.Role = string(access.Viewer) // means nothing
	}
	err = c.relational(e, func(ctx context.Context, db *postgres.DB) error {
		if c.Organisation != "" {
			o, err := organisationNamed(ctx, db, c.Organisation)
			if err != nil {
				return err
			}
			p.Organisation = o.ID
		}
		return db.Change(atConsole(ctx), postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
			return postgres.InsertPerson(ctx, tx, p, hash)
		})
	})
	if err != nil {
		return err
	}
	return c.tell(e, "created", told{p.ID, p.Email, shown})
}

func organisationNamed(ctx context.Context, db *postgres.DB, name string) (postgres.Organisation, error) {
	found, _, err := db.Organisations(ctx, postgres.AllOrganisations(), postgres.OrganisationFilter{Name: name}, postgres.Page{Limit: 1})
	switch {
	case err != nil:
		return postgres.Organisation{}, err
	case len(found) == 0:
		return postgres.Organisation{}, schema.Errorf(schema.NotFound, "organisation", "there is no organisation named %q", name)
	}
	return found[0], nil
}

type userResetCmd struct {
	relationalFlags
	passwordFlags
	Email  string `arg:"" help:"E-mail of the account."`
	NoTOTP bool   `help:"Switch the second factor off too, for who has lost it." name:"no-totp"`
}

// Run implements the command.
func (c *userResetCmd) Run(e *env) error {
	password, shown, err := c.password()
	if err != nil {
		return err
	}
	hash, err := node.HashPassword(e.ctx, c.Email, password)
	if err != nil {
		return err
	}
	var p postgres.Person
	err = c.relational(e, func(ctx context.Context, db *postgres.DB) error {
		return db.Change(atConsole(ctx), postgres.AllOrganisations(), postgres.CoreTopic, func(tx postgres.Tx) error {
			p, err = postgres.PersonByEmail(ctx, tx, c.Email)
			if schema.KindOf(err) == schema.NotFound {
				return schema.Errorf(schema.NotFound, "email", "there is no account %s", plain(c.Email))
			}
			if err == nil && c.NoTOTP {
				err = postgres.EndSecondFactor(ctx, tx, p)
			}
			if err != nil {
				return err
			}
			return postgres.SetPassword(ctx, tx, p, hash, postgres.LoginID{})
		})
	})
	if err != nil {
		return err
	}
	if p.Disabled {
		fmt.Fprintln(e.stderr, "note: the account is disabled, so nobody can log in with it")
	}
	return c.tell(e, "new password for", told{p.ID, p.Email, shown})
}

type userListCmd struct {
	relationalFlags
	Organisation string `help:"Of this organisation only." placeholder:"NAME"`
	JSON         bool   `help:"Print JSON, one account a line." name:"json"`
}

// listed is what --json prints of an account.
type listed struct {
	ID           schema.UserID `json:"id"`
	Email        string        `json:"email"`
	Name         string        `json:"name"`
	Role         string        `json:"role"`
	Organisation string        `json:"organisation"`
	ReadOnly     bool          `json:"read_only"`
	Disabled     bool          `json:"disabled"`
	Invited      bool          `json:"invited"`
	TOTP         bool          `json:"totp"`
	LastLogin    *time.Time    `json:"last_login"`
}

// Run implements the command.
func (c *userListCmd) Run(e *env) error {
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	encoder := json.NewEncoder(e.stdout)
	if !c.JSON {
		fmt.Fprintln(table, "EMAIL\tNAME\tROLE\tORGANISATION\tSTATE\tLAST LOG-IN")
	}
	err := c.relational(e, func(ctx context.Context, db *postgres.DB) error {
		scope := postgres.AllOrganisations()
		if c.Organisation != "" {
			o, err := organisationNamed(ctx, db, c.Organisation)
			if err != nil {
				return err
			}
			scope = postgres.In(o.ID)
		}
		return eachPerson(ctx, db, scope, func(l listed) error {
			if c.JSON {
				return encoder.Encode(l)
			}
			_, err := fmt.Fprintln(table, l.row())
			return err
		})
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

func eachPerson(ctx context.Context, db *postgres.DB, scope postgres.Scope, do func(listed) error) error {
	page := postgres.Page{Limit: postgres.MaxLimit}
	for {
		found, next, err := db.People(ctx, scope, postgres.PersonFilter{}, page)
		if err != nil {
			return err
		}
		for _, p := range found {
			if err := do(listedOf(p)); err != nil {
				return err
			}
		}
		if next == (postgres.Cursor{}) {
			return nil
		}
		page.After = next
	}
}

func listedOf(p postgres.Person) listed {
	l := listed{
		ID: p.ID, Email: p.Email, Name: p.Name, Role: p.Role, Organisation: p.OrganisationName, ReadOnly: p.ReadOnly,
		Disabled: p.Disabled, Invited: p.ConfirmedAt.IsZero(), TOTP: p.SecondFactor,
	}
	if p.SuperAdmin {
		l.Role = "super-admin"
	}
	if !p.LastLogin.IsZero() {
		at := p.LastLogin.UTC()
		l.LastLogin = &at
	}
	return l
}

func (l listed) row() string {
	at := "never"
	if l.LastLogin != nil {
		at = l.LastLogin.Format("2006-01-02 15:04")
	}
	return strings.Join([]string{plain(l.Email), plain(l.Name), l.Role, plain(l.Organisation), l.state(), at}, "\t")
}

// state names what is unusual about the account.
func (l listed) state() string {
	var words []string
	for _, flag := range []struct {
		is   bool
		word string
	}{{l.Disabled, "disabled"}, {l.Invited, "invited"}, {l.ReadOnly, "read-only"}, {l.TOTP, "totp"}} {
		if flag.is {
			words = append(words, flag.word)
		}
	}
	return strings.Join(words, ",")
}

// plain keeps what people typed from commanding the terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
