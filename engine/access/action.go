package access

// Action is what is to be done, as the customer's table names it.
type Action string

// The actions of the customer's table.
const (
	View           Action = "view"            // analytics and maps, and everything that has no action of its own
	Export         Action = "export"          // data out of the system
	DeviceSettings Action = "device_settings" // and binding devices to locations
	ManageTags     Action = "manage_tags"
	ManageUsers    Action = "manage_users" // people, their roles and rights, invitations, API keys
	EditPlans      Action = "edit_plans"   // locations, plans, zones, receivers
	ReadAudit      Action = "read_audit"
	OpenDashboard  Action = "open_dashboard" // of a device
)

// Watch is the part of [View] that a link to a live map gives: one location, its plans
// and who is on them now. Who may view may watch.
const Watch Action = "watch"

// The actions that no role of an organisation has.
const (
	OpenTerminal Action = "open_terminal" // of a device
	Administer   Action = "administer"    // organisations, products, devices of all, mails, jobs
)

// Actions returns the actions of the customer's table, in its order.
func Actions() []Action {
	return []Action{View, Export, DeviceSettings, ManageTags, ManageUsers, EditPlans, ReadAudit, OpenDashboard}
}

// Changes reports whether the action changes something, or may: what read-only mode
// takes. An action that is not known to look only is taken for one.
func (a Action) Changes() bool { return a != View && a != Watch && a != Export && a != ReadAudit }

// table is the customer's table.
var table = map[Role][]Action{
	Owner:    {View, Export, DeviceSettings, ManageTags, ManageUsers, EditPlans, ReadAudit, OpenDashboard},
	Admin:    {View, Export, DeviceSettings, ManageTags, EditPlans, ReadAudit, OpenDashboard},
	Manager:  {View, Export},
	Operator: {View, DeviceSettings, ManageTags, EditPlans, OpenDashboard},
	Viewer:   {View},
}
