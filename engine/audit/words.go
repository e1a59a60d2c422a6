package audit

// Language is what an export is written in.
type Language string

// The languages.
const (
	Russian Language = "ru"
	English Language = "en"
)

// words are those of one language. English actions and fields are called what they are
// called in the program.
type words struct {
	actions, kinds, fields          map[string]string
	server, unknown, erased, reason string
}

func (w words) action(a Action) string   { return or(w.actions[string(a)], string(a)) }
func (w words) kind(kind string) string  { return or(w.kinds[kind], kind) }
func (w words) field(name string) string { return or(w.fields[name], name) }
func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func wordsOf(l Language) words {
	if l == English {
		return english()
	}
	return russian()
}

func english() words {
	return words{
		kinds: map[string]string{
			"calibration": "Calibration", "claim": "Claim code", "data": "Data", "device": "Receiver", "example": "Zone example", "export": "Export", "query": "Query",
			"job": "Job", "key": "API key", "link": "Link", "location": "Location", "log": "Audit log", "mail": "Mail", "organisation": "Organisation", "page": "Page",
			"plan": "Plan", "receiver": "Receiver", "reference": "Reference tag", "session": "Session", "setting": "Setting", "share": "Link to the live map",
			"survey": "Survey", "tag": "Tag", "token": "API token", KindUser: "User", "zone": "Zone",
		},
		server: "server", unknown: "unknown", erased: "(erased)", reason: "reason",
	}
}

func russian() words {
	return words{
		actions: map[string]string{
			string(Login): "Вход", string(LoginFailed): "Неудачный вход", string(Logout): "Выход", string(View): "Просмотр",
			string(Create): "Создание", string(Change): "Изменение", string(Delete): "Удаление", string(Export): "Экспорт",
			string(Users): "Пользователи", string(Tunnel): "Туннель", string(Switch): "Вход в организацию", string(System): "Система",
		},
		kinds: map[string]string{
			"calibration": "Калибровка", "claim": "Код привязки", "data": "Данные", "device": "Приёмник", "example": "Пример зоны", "export": "Экспорт", "query": "Запрос",
			"job": "Задание", "key": "Ключ API", "link": "Ссылка", "location": "Локация", "log": "Журнал", "mail": "Письмо", "organisation": "Организация", "page": "Страница",
			"plan": "План", "receiver": "Приёмник", "reference": "Опорная метка", "session": "Сеанс", "setting": "Настройка", "share": "Ссылка на карту",
			"survey": "Обход", "tag": "Метка", "token": "Токен API", KindUser: "Пользователь", "zone": "Зона",
		},
		fields: map[string]string{
			"address": "адрес", "color": "цвет", "config": "настройки", "description": "описание", "device": "приёмник", "disabled": "отключён",
			"email": "e-mail", "expires_at": "действует до", "format": "формат", "from": "с", "keep_days": "хранение, дней", "language": "язык",
			"location": "локация", "locations": "локации", "level": "этаж", "mac": "MAC", "modules": "модули", "more": "ещё", "opened": "открыта",
			"organisation": "организация", "page": "страница", "parent": "часть зоны", "period": "период", "phone": "телефон", "plan": "план",
			"polygon": "контур", "products": "продукты", "read_only": "только просмотр", "reason": "причина", "role": "роль", "rotation": "поворот",
			"tag": "метка", "time_zone": "часовой пояс", "title": "заголовок", "to": "по", "totp": "второй фактор", "transmitter": "передатчик",
			"type": "тип", "walls": "стены", "zone": "зона",
		},
		server: "система", unknown: "неизвестный", erased: "(удалён)", reason: "причина",
	}
}
