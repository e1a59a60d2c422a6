package schema

// Found is one hit of the search over everything.
type Found struct {
	// OrganisationID says whose it is, for the log; zero: nobody's.
	OrganisationID OrganisationID `json:"-"`

	Kind     string `json:"kind" doc:"device, location, user, organisation, or a kind of a product's, such as plan, zone, tag"`
	ID       string `json:"id" format:"uuid"`
	Title    string `json:"title" doc:"What people call it"`
	Subtitle string `json:"subtitle" doc:"What tells it from others of its name; may be empty"`
	Path     string `json:"path" doc:"Of its page in the console"`
}
